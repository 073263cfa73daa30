"""One registrant on the way through the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow_provider_teams_registration.enrollment.event import Registrant, Standing
from airflow_provider_teams_registration.enrollment.ledger import LedgerEntry
from airflow_provider_teams_registration.enrollment.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.graph.errors import AnswerLost, GraphError, TeamsRegistrationError

_MAY_JOIN = frozenset({Outcome.ENROLLED, Outcome.ALREADY_ENROLLED})


class NotTakenOff(TeamsRegistrationError):
    """A person is on the event, their link is lost, and they could not be taken off to get a new one."""

    def __init__(self, error: TeamsRegistrationError) -> None:
        self.reason = getattr(error, "reason", str(error))
        super().__init__(f"on the event, and could not be taken off for a new link: {error}")
        self.transient = error.transient


@dataclass(eq=False)
class Person:
    """
    One registrant and how far they are.

    :param registrant: who it is.
    :param entry: what stood in the ledger when it was read or written last.
    :param times_refused: sends that were certainly not executed.
    :param times_settled: how often reading had to tell what became of a send.
    :param is_ours: whether a send of ours may have put them on the event.
    :param is_accepted: whether the service took the enrollment; what is missing is its outcome or the link.
    :param records: their records on the event that have to go before they are sent.
    :param sent_at: when they were sent last (UTC), where the answer was lost.
    :param refusal: what the service answered where it may mean that they are on the event already.
    """

    registrant: Registrant
    entry: LedgerEntry | None = None
    times_refused: int = 0
    times_settled: int = 0
    is_ours: bool = False
    is_accepted: bool = False
    records: int = 0
    sent_at: datetime | None = None
    refusal: TeamsRegistrationError | None = None

    @property
    def key(self) -> str:
        """What tells them from the others on the event."""
        return self.registrant.key

    @property
    def noted_at(self) -> datetime:
        """When the ledger was told of them last (UTC)."""
        assert self.entry is not None
        assert self.entry.last_seen is not None
        return self.entry.last_seen

    def entry_for(self, enrollment: Enrollment, error: TeamsRegistrationError | None = None) -> LedgerEntry:
        """Return what the ledger is to say of them."""
        # Whose link was handed out, and is not kept, must not look as if nobody had been able to read it.
        is_handed_out = self.entry is not None and self.entry.outcome is Outcome.ENROLLED and not self.entry.error
        return self._entry(
            enrollment.outcome,
            join_web_url=enrollment.join_web_url,
            registration_id=enrollment.registration_id,
            error=None if is_handed_out and enrollment.outcome is Outcome.ENROLLED else enrollment.reason,
            error_code=getattr(error, "code", None),
            request_id=getattr(error, "request_id", None),
        )

    def entry_in_flight(self) -> LedgerEntry:
        """Return what the ledger is to say of them from before they are sent until their outcome is known."""
        return self._entry(Outcome.UNKNOWN, error=NOT_SHOWN if self.is_accepted else None)

    def take_over(self) -> None:
        """Go on from where the ledger says that an older attempt, or another run, left them."""
        self.is_ours = True
        if self.entry is not None:
            self.sent_at = self.entry.last_seen
            self.is_accepted = (self.entry.error or "").startswith(_ACCEPTED)

    def _entry(self, outcome: Outcome, **details: str | None) -> LedgerEntry:
        version = self.entry.version if self.entry else 0
        fingerprint = self.registrant.fingerprint
        return LedgerEntry(self.key, fingerprint, outcome, version=version, **details)  # type: ignore[arg-type]

    def enrolled(self, standing: Standing, outcome: Outcome | None = None) -> Enrollment:
        """Return the enrollment of somebody who is on the event."""
        outcome = outcome or standing.outcome
        is_missing = outcome in _MAY_JOIN and not standing.join_web_url
        error = standing.error or (_MISSING[outcome] if is_missing else None)
        return Enrollment(
            self.registrant.position,
            self.registrant.row,
            outcome,
            join_web_url=standing.join_web_url if outcome in _MAY_JOIN else None,
            error=error,
            reason=error,
            registration_id=standing.registration_id,
            is_link_missing=is_missing and not standing.is_link_withheld,
            is_link_withheld=is_missing and standing.is_link_withheld,
            registrant=self.key,
        )

    def refused(self, error: TeamsRegistrationError | str, outcome: Outcome = Outcome.REJECTED) -> Enrollment:
        """Return the enrollment of somebody who is not on the event, or of whom it is not known."""
        return Enrollment(
            self.registrant.position,
            self.registrant.row,
            outcome,
            error=str(error),
            reason=_reason(error),
            transient=isinstance(error, str) or error.transient,
            registrant=self.key,
        )

    def not_shown(self, unproved: TeamsRegistrationError | None = None) -> Enrollment:
        """Return the enrollment of somebody whom the service took and does not show, or may not let be seen."""
        said = NOT_SHOWN if unproved is None else f"{NOT_SHOWN}: {_reason(unproved)}"
        return self.refused(said, Outcome.UNKNOWN)

    def given_up(self, error: TeamsRegistrationError | str) -> Enrollment:
        """Return the enrollment of somebody who is not sent any more."""
        # Whoever has records to go is still on the event, without anybody knowing the link.
        if self.records and not self.is_ours:
            return self.enrolled(Standing(Outcome.ALREADY_ENROLLED, error=_NO_NEW_LINK))
        return self.refused(error, Outcome.UNKNOWN if self.records else Outcome.REJECTED)


_ACCEPTED = "The service took the enrollment"
"""How the ledger tells of somebody who has no outcome yet that the service answered, and said yes."""
NOT_SHOWN = f"{_ACCEPTED} and does not show it yet"
_NO_NEW_LINK = "on the event already, and could not be enrolled anew for a link"
_MISSING = {
    Outcome.ENROLLED: "on the event, but their link is not at hand",
    Outcome.ALREADY_ENROLLED: (
        "on the event already, enrolled by somebody else or by a run that kept no ledger; the service shows no link"
    ),
}


def _reason(error: TeamsRegistrationError | str) -> str:
    if isinstance(error, AnswerLost):
        return error.what
    if isinstance(error, NotTakenOff):
        return error.reason
    if isinstance(error, GraphError):
        return " ".join(filter(None, [error.reason, error.advice]))
    return str(error)
