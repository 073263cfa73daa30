"""The Microsoft Graph client: sign-in, one authorized session, batches, typed errors, and the events themselves."""
