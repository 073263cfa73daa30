"""The emulated service's data in memory: meetings, webinars, people and the journal."""
