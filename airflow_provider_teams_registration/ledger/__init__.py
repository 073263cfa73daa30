"""The durable record of what was sent and what became of it."""
