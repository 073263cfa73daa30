"""Triggers: what a deferred sensor leaves with the triggerer."""
