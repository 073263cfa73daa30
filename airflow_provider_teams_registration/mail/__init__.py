"""Mails with join links: the choice of the people, the text, and the sending."""
