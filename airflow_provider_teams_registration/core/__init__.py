"""The decisions, as pure functions over frozen values. No module here waits, sends, stores or reads a clock."""
