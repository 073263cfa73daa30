"""One emulated tenant: its data, and how the service behaves towards it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_provider_teams_registration.emulator.behaviour.faults import Fault, Faults
from airflow_provider_teams_registration.emulator.behaviour.limiter import Limiter
from airflow_provider_teams_registration.emulator.behaviour.switches import Switches
from airflow_provider_teams_registration.emulator.store.client_assertions import ClientAssertions
from airflow_provider_teams_registration.emulator.store.meeting_store import MeetingStore


class EmulatedTenant:
    """
    The state of one emulator. Graph, Entra, the admin API and the page all work on it.

    :param switches: the initial values of switches, by name; every other switch has its default.
    :param directory: directory for the files that a client signs in with.
    :ivar store: the meetings, the webinars, the people on them, and the journal.
    :ivar faults: the fault rules.
    :ivar limiter: the rate limit of virtual events.
    :ivar switches: the present values of all switches.
    :ivar assertions: the certificates and platforms that the app registration trusts.
    :raises BadSwitch: there is no such switch, or it does not take that value.
    """

    def __init__(self, switches: Mapping[str, Any] | None = None, directory: Path = Path()) -> None:
        self._first_switches = Switches().changed(switches or {})
        self.switches = self._first_switches
        self.store = MeetingStore()
        self.faults = Faults()
        self.limiter = Limiter(lambda: self.switches)
        self.assertions = ClientAssertions(directory)

    def add_fault(self, route: str, **rule: Any) -> None:
        """Add a fault rule; the arguments are those of :class:`.Fault`."""
        self.faults.add(Fault(route, **rule))

    def clear_faults(self) -> None:
        """Remove all fault rules."""
        self.faults.clear()

    def set_switches(self, **values: Any) -> None:
        """
        Set switches by name.

        :raises BadSwitch: there is no such switch, or it does not take that value.
        """
        self.switches = self.switches.changed(values)

    def clear_journal(self) -> None:
        """Empty the journal and the list of sign-ins."""
        with self.store.lock:
            self.store.journal.clear()
            self.store.sign_ins.clear()

    def expire_tokens(self) -> None:
        """Refuse the access tokens that were issued so far. A client may keep one for as long as its process runs."""
        self.store.signing_key = secrets.token_hex(32)

    def reset(self) -> None:
        """Restore the initial state: the seeded events with nobody on them, no faults, the initial switches."""
        self.store.reset()
        self.faults.clear()
        self.limiter.clear()
        self.switches = self._first_switches
