"""The Microsoft Graph client: sign-in, one authorised session, batches, typed errors, and the events themselves."""
