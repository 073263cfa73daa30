"""Sensors: wait for an event to be ready."""
