"""A webinar: its rows, its registrations, and how they are looked up."""
