"""The states of a registrant, the inputs that change them, and the effects that the runner executes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from airflow_provider_teams_registration.core.problem import Problem
from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun
from airflow_provider_teams_registration.core.registration import Evidence, RemoteRegistration
from airflow_provider_teams_registration.core.result import Result

DEFAULT_SETTLE_AFTER = 120.0
"""A send that the event does not show this many seconds later counts as having had no effect."""


class State(Enum):
    """A registrant's place in the lifecycle."""

    # The table of transitions is asked five times per person, and Enum computes the hash in Python.
    __hash__ = object.__hash__

    NEW = "new"
    """The runner has not read the ledger yet."""
    UNSENT = "unsent"
    """This run has sent no request. A lookup has to show whether the registrant is on the event."""
    CLAIMED_ELSEWHERE = "claimed elsewhere"
    """Another run sent a request about the registrant a short while ago, or is about to."""
    QUEUED = "queued"
    """The registrant waits to be claimed and sent."""
    REMOVING = "removing"
    """The runner removes the registrant's registrations, to cancel or to send the registrant for a new link."""
    IN_FLIGHT = "in flight"
    """The ledger holds our claim. The runner has sent the registrant, or is about to."""
    UNCERTAIN = "uncertain"
    """A request may have taken effect. A lookup has to show whether it did."""
    ACCEPTED = "accepted"
    """Graph accepted the enrollment. A lookup has to show the outcome or the link."""
    DECIDED = "decided"
    """The result is decided, and the ledger does not hold it yet."""
    DONE = "done"
    """The result is final."""


class Effect(Enum):
    """What the runner does next for a registrant."""

    __hash__ = object.__hash__

    ASK_LEDGER = "ask the ledger"
    FIND_PRESENT = "find who is present"
    """Look the registrant up before the first send. One read of the event may serve all registrants."""
    CLAIM = "claim"
    """Record in the ledger that this run is about to send or cancel the registrant, or to find out their outcome."""
    SEND = "send"
    REMOVE = "remove"
    """Remove one of the registrant's registrations."""
    LOOK_UP = "look up"
    """Look the registrant up in a fresh read of the event."""
    POLL_LEDGER = "poll the ledger"
    RECORD = "record"
    NOTHING = "nothing"


class Goal(Enum):
    """What a run is for."""

    ENROLL = "enroll"
    CANCEL = "cancel"


class OnMissingJoinUrl(str, Enum):
    """How to treat people who are on the event already and whose link cannot be read."""

    FAIL = "fail"
    """Report them and fail the task."""
    IGNORE = "ignore"
    """Report them."""
    RE_ENROLL = "re_enroll"
    """Take them off and enroll them again. They get a new link, and the one they hold stops working. For a webinar, it
    is the same as ``fail``."""


@dataclass(frozen=True)
class Policy:
    """
    The settings that the decisions depend on.

    :param run: the run that enrolls or cancels.
    :param links_are_readable: whether a later read of the event shows a registrant's link.
    :param goal: whether the run enrolls or cancels.
    :param removes_by_key: whether Graph removes a registrant by their key, so that a run that cancels need not look
        them up first.
    :param on_missing_join_url: how to treat missing links.
    :param settle_after: how many seconds an enrollment may take to show on the event.
    :param resumes_since: the first attempt of a run that was deferred and goes on; None in any other run.
    """

    run: TaskRun
    links_are_readable: bool
    on_missing_join_url: OnMissingJoinUrl = OnMissingJoinUrl.FAIL
    settle_after: float = DEFAULT_SETTLE_AFTER
    goal: Goal = Goal.ENROLL
    removes_by_key: bool = False
    resumes_since: int | None = None


@dataclass(frozen=True)
class Removals:
    """
    What a run that cancels knows of one registrant.

    :param is_claimed: whether this run wrote a claim that it has not replaced yet.
    :param before: the record that the ledger held before that claim; None if it held none.
    :param confirmed: how many removals Graph confirmed.
    :param is_seen: whether a read has shown the registrant since the ledger was read.
    :param is_lost: whether the response to the newest removal was lost, or the removal found nobody.
    :param removed_at: when Graph last answered a removal, on the runner's clock in seconds.
    :param contradictions: how often a removal did not find a registrant whom a read had shown.
    """

    is_claimed: bool = False
    before: RegistrationRecord | None = field(default=None, repr=False)
    confirmed: int = 0
    is_seen: bool = False
    is_lost: bool = False
    removed_at: float | None = None
    contradictions: int = 0


@dataclass(frozen=True)
class RegistrantState:
    """
    One registrant in the lifecycle.

    :param state: their place in the lifecycle.
    :param fingerprint: a hash of the data to send to Graph.
    :param record: the ledger's record, as the runner last read or wrote it.
    :param sent_at: when they were sent last, on the runner's clock in seconds; None where they certainly were not.
    :param may_be_our_send: whether a send of ours may have put them on the event.
    :param send_attempts: how many requests Graph did not execute.
    :param settle_attempts: how many times a lookup had to find out the outcome of a send.
    :param absences: how many reads in a row, after ``settle_after``, did not show them.
    :param shared_links: how many times Graph returned the link of somebody else.
    :param to_remove: how many registrations to remove before the next send.
    :param removals: what a run that cancels knows of them.
    :param is_re_enrolled: whether the runner removes, or removed, a registration for a new link.
    :param clash: the answer with 400 or 409 that may mean that they are on the event already.
    :param is_token_renewed: whether Graph answered 401, so that the next request has a fresh token.
    :param needs_fresh_read: whether a read that the event keeps may be out of date for them.
    :param result: their result, once it is decided.
    """

    state: State = State.NEW
    fingerprint: str = ""
    record: RegistrationRecord | None = field(default=None, repr=False)
    sent_at: float | None = None
    may_be_our_send: bool = False
    send_attempts: int = 0
    settle_attempts: int = 0
    absences: int = 0
    shared_links: int = 0
    to_remove: int = 0
    removals: Removals = Removals()
    is_re_enrolled: bool = False
    clash: Clash | None = None
    is_token_renewed: bool = False
    needs_fresh_read: bool = False
    result: Result | None = None


@dataclass(frozen=True)
class LedgerRead:
    """The runner read the ledger, which holds ``record``; None if it holds nothing."""

    record: RegistrationRecord | None = field(repr=False)


@dataclass(frozen=True)
class Claimed:
    """The ledger holds our claim, as ``record``."""

    record: RegistrationRecord = field(repr=False)


@dataclass(frozen=True)
class ClaimLost:
    """Another writer was faster than our claim or result. The ledger holds ``record``."""

    record: RegistrationRecord | None = field(repr=False)


@dataclass(frozen=True)
class ClaimExpired:
    """The request was not sent, because the claim was too old or the run dropped the call."""


@dataclass(frozen=True)
class BatchRefused:
    """Graph refused a batch as a whole and did not execute it. The registrant goes into a smaller one."""


@dataclass(frozen=True)
class LookedUp:
    """The runner read the event, which proves ``evidence``."""

    evidence: Evidence


@dataclass(frozen=True)
class Enrolled:
    """Graph answered with success. ``registration`` is its answer."""

    registration: RemoteRegistration


@dataclass(frozen=True)
class Removed:
    """One registration of the registrant is off the event. If not ``was_there``, it was off before the request."""

    was_there: bool = True


@dataclass(frozen=True)
class Clash:
    """Graph answered 400 or 409, which may mean that the registrant is on the event already."""

    why: Problem
    is_conflict: bool


@dataclass(frozen=True)
class Refused:
    """Graph refused the request permanently."""

    why: Problem


@dataclass(frozen=True)
class TokenRefused:
    """Graph answered 401 and did not execute the request. The session has a fresh token."""

    why: Problem


@dataclass(frozen=True)
class NotExecuted:
    """Graph did not execute the request. The runner may send it again."""

    why: Problem


@dataclass(frozen=True)
class ResponseLost:
    """The request was sent, and its response was lost or cannot be believed."""

    why: Problem


@dataclass(frozen=True)
class LinkShared:
    """Somebody else has the link in the result, according to this run or the ledger. The result was not recorded."""


@dataclass(frozen=True)
class Recorded:
    """The ledger holds the result."""


@dataclass(frozen=True)
class GivenUp:
    """The runner stops sending. ``is_refused`` is true if Graph refuses every registrant."""

    why: Problem
    is_refused: bool = False


@dataclass(frozen=True)
class Ended:
    """The run is over, and cannot write the result to the ledger any more."""

    why: Problem


Input = (
    LedgerRead
    | Claimed
    | ClaimLost
    | ClaimExpired
    | BatchRefused
    | LookedUp
    | Enrolled
    | Removed
    | Clash
    | Refused
    | TokenRefused
    | NotExecuted
    | ResponseLost
    | LinkShared
    | Recorded
    | GivenUp
    | Ended
)
Step = tuple[RegistrantState, Effect]
