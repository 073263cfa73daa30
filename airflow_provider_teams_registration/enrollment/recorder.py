"""Write claims and results to the ledger, and find links that Graph returned for two people."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_teams_registration.core.state import Claimed, ClaimLost, Input, LedgerRead, LinkShared, Recorded
from airflow_provider_teams_registration.enrollment.tracked import Tracked
from airflow_provider_teams_registration.ledger.base import Ledger, link_key

Told = list[tuple[Tracked, Input]]


class OutcomeRecorder:
    """
    Writes to the ledger, and turns its answers into inputs of the lifecycle.

    :param ledger: the ledger, with a started attempt.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._holders: dict[str, str] = {}

    def load(self, people: Sequence[Tracked]) -> Told:
        """Read the records of some registrants."""
        records = self._ledger.load([one.key for one in people])
        return [(one, LedgerRead(records.get(one.key))) for one in people]

    def mark_seen(self, people: Sequence[Tracked]) -> None:
        """Record that registrants with an outcome came up again."""
        if people:
            self._ledger.mark_seen([one.key for one in people])

    def write(self, decided: Sequence[Tracked], claiming: Sequence[Tracked]) -> Told:
        """
        Write results and claims in one call, which may be a call to another machine.

        :param decided: registrants whose result is not in the ledger yet.
        :param claiming: registrants to claim.
        :return: the next input of each registrant.
        :raises Fenced: a newer attempt has started, and only its results count.
        :raises LedgerFailure: the ledger is out of reach. It wrote nothing.
        """
        shared = self._sharing_a_link(decided)
        believed = [one for one in decided if one not in shared]
        told: Told = [(one, LinkShared()) for one in shared]
        if not believed and not claiming:
            return told
        records = [*(one.record() for one in believed), *(one.claim() for one in claiming)]
        written = self._ledger.write(records)
        for one in [*believed, *claiming]:
            lost = written.lost_claims.get(one.key)
            stored = written.stored.get(one.key)
            if lost is not None:
                told.append((one, ClaimLost(lost)))
            elif one.key in written.shared_links:
                told.append((one, LinkShared()))
            elif stored is not None:
                told.append((one, Recorded() if one.state.result is not None else Claimed(stored)))
        self._holders.update(
            (link_key(one.result.join_web_url), one.key)
            for one, event in told
            if isinstance(event, Recorded) and one.result.join_web_url
        )
        return told

    def _sharing_a_link(self, decided: Sequence[Tracked]) -> list[Tracked]:
        """Return registrants whose link Graph also returned for another person in this run."""
        groups: dict[str, list[Tracked]] = {}
        for one in decided:
            if one.result.join_web_url:
                groups.setdefault(link_key(one.result.join_web_url), []).append(one)
        return [
            one
            for key, people in groups.items()
            if len(people) > 1 or key in self._holders
            for one in people
            if not self._is_known_to_hold(one, key)
        ]

    def _is_known_to_hold(self, one: Tracked, key: str) -> bool:
        known = one.state.record.join_web_url if one.state.record is not None else None
        return self._holders.get(key) == one.key or (known is not None and link_key(known) == key)
