"""What a connection and an event lack, and what to do about it. It only reads."""
