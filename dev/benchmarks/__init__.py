"""Benchmarks: the source of the figures in docs/benchmarks.md."""
