"""The ways to sign in to Microsoft Entra, and the access tokens that they give."""
