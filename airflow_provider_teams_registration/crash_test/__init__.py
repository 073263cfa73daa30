"""The crash test: kills a DAG run at its HTTP requests, and lets the emulator judge what the retry made of it."""
