"""The emulated Microsoft Entra: discovery, tokens and sign-in errors."""
