"""How often a run tries, for one registrant, before it gives the registrant up."""

from __future__ import annotations

MAX_SEND_ATTEMPTS = 8
"""How many requests Graph may leave unexecuted or, when cancelling, unanswered."""
MAX_SETTLE_ATTEMPTS = 4
"""How many sends may end with a lost response."""
MAX_REMOVALS = 50
"""How many registrations of one registrant a run that cancels removes."""
MAX_CONTRADICTIONS = 2
"""How often a removal may not find a registrant whom a read showed."""
AGREEING_READS = 2
"""How many reads in a row must not show a registrant who may be on the event, before they count as absent."""
