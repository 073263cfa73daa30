"""
A stateful Microsoft Entra and Microsoft Graph on this machine, for those who have no tenant at hand.

It imitates what Microsoft's pages say. What they do not say is a switch (:mod:`.switches`).
"""
