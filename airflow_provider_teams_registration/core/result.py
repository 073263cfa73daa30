"""The result of one registrant, and the functions that build it."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_teams_registration.core.outcome import MAY_JOIN, Outcome
from airflow_provider_teams_registration.core.problem import Problem
from airflow_provider_teams_registration.core.record import RecordState, RegistrationRecord
from airflow_provider_teams_registration.core.registration import RemoteRegistration
from airflow_provider_teams_registration.core.replacing import replace


@dataclass(frozen=True)
class Result:
    """
    The result of one registrant.

    :param outcome: the registrant's outcome.
    :param join_web_url: the registrant's link, a credential; None unless they may join.
    :param registration_id: Graph's own id of the registration, if it has one.
    :param problem: the problem; None if there is none.
    :param is_link_missing: whether the registrant may join and their link cannot be read.
    :param link_forbidden: whether the registrant may join and a missing permission keeps the link from being read.
    :param is_changed: whether the row differs from the data the registrant was enrolled with. Graph keeps that data.
    :param is_accepted: whether Graph accepted the enrollment and no read has shown it.
    """

    outcome: Outcome
    join_web_url: str | None = field(default=None, repr=False)
    registration_id: str | None = None
    problem: Problem | None = None
    is_link_missing: bool = False
    link_forbidden: bool = False
    is_changed: bool = False
    is_accepted: bool = False

    def record_state(self, before: RegistrationRecord | None) -> RecordState:
        """
        Return the state that the ledger records with this result.

        :param before: the record that the ledger holds so far.
        """
        if self.outcome is Outcome.UNKNOWN:
            return RecordState.ACCEPTED if self.is_accepted else RecordState.CLAIMED
        is_handed_out = before is not None and (before.outcome, before.state) == (Outcome.ENROLLED, RecordState.DONE)
        is_pending = self.outcome is Outcome.ENROLLED and self.problem is not None and not is_handed_out
        return RecordState.LINK_PENDING if is_pending else RecordState.DONE


def result_enrolled(registration: RemoteRegistration, outcome: Outcome | None = None) -> Result:
    """
    Return the result of a registrant who is on the event.

    :param registration: the registration that Graph shows.
    :param outcome: the registrant's outcome, if it is not the registration's.
    """
    outcome = outcome or registration.outcome
    is_missing = outcome in MAY_JOIN and not registration.join_web_url
    said = registration.error or (_MISSING[outcome] if is_missing else None)
    return Result(
        outcome,
        registration.join_web_url if outcome in MAY_JOIN else None,
        registration.registration_id,
        Problem(said) if said else None,
        is_link_missing=is_missing and not registration.link_forbidden,
        link_forbidden=is_missing and registration.link_forbidden,
    )


def result_already_enrolled(registration: RemoteRegistration) -> Result:
    """Return the result of a registrant who was on the event before this run sent them."""
    is_enrolled = registration.outcome is Outcome.ENROLLED
    return result_enrolled(registration, Outcome.ALREADY_ENROLLED if is_enrolled else registration.outcome)


def result_from_record(record: RegistrationRecord, *, is_of_others: bool, fingerprint: str) -> Result:
    """
    Return the result of a registrant whom the ledger holds as enrolled, with the link.

    :param record: the ledger's record.
    :param is_of_others: whether another run enrolled the registrant. The outcome is then ``already_enrolled``.
    :param fingerprint: the row's fingerprint.
    """
    registration = RemoteRegistration(record.outcome, record.join_web_url, record.registration_id)
    result = result_enrolled(registration, Outcome.ALREADY_ENROLLED if is_of_others else None)
    return marked_as_changed(result, record, fingerprint)


def marked_as_changed(result: Result, record: RegistrationRecord | None, fingerprint: str) -> Result:
    """Return the result, marked as changed if the row differs from the one that the ledger recorded."""
    if record is None or record.fingerprint == fingerprint:
        return result
    return replace(result, problem=Problem(_CHANGED), is_changed=True)


def result_rejected(why: Problem) -> Result:
    """Return the result of a registrant whom Graph refused."""
    return Result(Outcome.REJECTED, problem=why)


def result_not_sent(why: Problem) -> Result:
    """Return the result of a registrant whom the run did not send."""
    return Result(Outcome.NOT_SENT, problem=why)


def result_unknown(why: Problem) -> Result:
    """Return the result of a registrant who may be on the event."""
    return Result(Outcome.UNKNOWN, problem=why)


def result_cancelled() -> Result:
    """Return the result of a registrant who is off the event."""
    return Result(Outcome.CANCELLED)


def result_unlisted(why: Problem | None = None) -> Result:
    """
    Return the result of a registrant whom Graph accepted and does not show.

    :param why: why Graph does not show them, if that is known.
    """
    said = _NOT_SHOWN if why is None else f"{_NOT_SHOWN}: {why.reason}"
    return Result(Outcome.UNKNOWN, problem=Problem(said, is_transient=True), is_accepted=True)


NO_NEW_LINK = "on the event already, and could not be enrolled anew for a link"
NOT_THEIRS = "on the event, but the service gives them the link of somebody else"
NOT_KEPT = "enrolled earlier, and the ledger holds no link for them"
REFUSED_BEFORE = "refused before the task was deferred"
NEVER_CONFIRMED = Problem("Enrolled again and again, and every answer was lost", is_transient=True)
NEVER_LANDED = Problem("Sent again and again, every answer was lost, and they are not on the event", is_transient=True)
STILL_ON = Problem("Taken off again and again, and they are still on the event", is_transient=True)
_NOT_SHOWN = "The service accepted the enrollment and does not show it yet"
_CHANGED = "the row changed since they were enrolled; they were not sent again (cancel them first if it matters)"
_MISSING = {
    Outcome.ENROLLED: "on the event, but their link is not at hand",
    Outcome.ALREADY_ENROLLED: (
        "on the event already, enrolled by somebody else or by a run that kept no ledger; the service shows no link"
    ),
}
