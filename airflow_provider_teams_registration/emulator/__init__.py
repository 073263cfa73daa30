"""
A stateful Microsoft Entra and Microsoft Graph on this machine, for people without a tenant.

The emulator does what Microsoft's pages say. Where they say nothing, a switch decides (:mod:`.behaviour.switches`).

Each package imports only packages below it:

- :mod:`.server` and :mod:`.application`: the emulator as a whole.
- :mod:`.admin`: the admin API and the page.
- :mod:`.graph_api` and :mod:`.entra`: what Microsoft Graph and Microsoft Entra answer.
- :mod:`.tenant`: the store, the switches, the faults and the limiter of one emulator.
- :mod:`.http` and :mod:`.store`: requests, answers and connections; the data.
- :mod:`.behaviour`: switches, faults, limits and delays.
"""
