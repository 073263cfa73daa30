"""Operators: arguments in, one call into the engine, rows out."""
