"""The ledger in a SQL table."""
