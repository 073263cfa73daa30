"""The emulated Microsoft Graph: routes, permissions, bodies, paging and batches."""
