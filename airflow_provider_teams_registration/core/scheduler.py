"""Decide what a run does next, from the amount of work and the time that each kind of work has to wait."""

from __future__ import annotations

from dataclasses import dataclass

POLL = 0.5
"""A waiting run checks for a request to stop this often, in seconds."""
SHORT_READ_WAIT = 1.5
"""While reads of the event about the same people follow one another within this time, the run is not deferred."""


@dataclass(frozen=True)
class Workload:
    """
    The work of a run, and how long it has to wait. All times are in seconds.

    :param unwritten: registrants whose result or claim is not in the ledger yet, plus the number of batches to claim.
    :param calls: calls that are running or queued.
    :param has_room: whether the dispatcher can queue another call.
    :param queued: registrants who wait to be sent, or for a removal.
    :param uncertain: registrants whom the run has to look up.
    :param claimed_elsewhere: registrants whom another run claimed.
    :param send_wait: the time until the rate limit allows the next batch.
    :param back_off: the rest of a wait that Graph imposed.
    :param resume_wait: the time until a run that does not know what this one sent may send a full batch.
    :param read_wait: the time until the next read of the event or the ledger is due.
    """

    unwritten: int = 0
    calls: int = 0
    has_room: bool = True
    queued: int = 0
    uncertain: int = 0
    claimed_elsewhere: int = 0
    send_wait: float = 0.0
    back_off: float = 0.0
    resume_wait: float = 0.0
    read_wait: float = 0.0


@dataclass(frozen=True)
class Waits:
    """
    The longest waits that a run accepts, in seconds.

    :param longest: the longest back-off that the run waits for.
    :param defer_over: the run asks Airflow to defer for a longer back-off than this; None never asks.
    :param prepare_ahead: how long before the rate limit allows a batch the run claims it.
    :param defer_quota_over: the run asks Airflow to defer if the write quota makes it wait this long; None never asks.
    :param resume_allowance: how long before the write quota allows a batch a deferred run has to be resumed.
    """

    longest: float
    defer_over: float | None = None
    prepare_ahead: float = 0.0
    defer_quota_over: float | None = None
    resume_allowance: float = 0.0


@dataclass(frozen=True)
class Write:
    """Write results and claims to the ledger, and queue a call for each claimed batch."""


@dataclass(frozen=True)
class Collect:
    """Collect the answers that arrive within ``seconds``."""

    seconds: float


@dataclass(frozen=True)
class Read:
    """Look uncertain registrants up on the event, and those whom another run claimed in the ledger."""


@dataclass(frozen=True)
class Sleep:
    """Wait for ``seconds``, or until somebody asks the run to stop."""

    seconds: float


@dataclass(frozen=True)
class Defer:
    """End this attempt. Airflow may resume the task in ``seconds``."""

    seconds: float
    is_for_quota: bool = False


@dataclass(frozen=True)
class End:
    """End the run: every registrant is done."""


Action = Write | Collect | Read | Sleep | Defer | End


def next_action(work: Workload, waits: Waits) -> Action:
    """
    Return what the run does next.

    :param work: the work of the run.
    :param waits: the longest waits that the run accepts.
    """
    if work.unwritten:
        return Write()
    if work.calls:
        # An answer that arrives meanwhile may impose a longer wait.
        is_held_up = work.queued > 0 and work.has_room
        return Collect(min(max(work.send_wait - waits.prepare_ahead, 0.0), POLL) if is_held_up else POLL)
    is_read_due = work.uncertain > 0 and work.read_wait <= 0 and work.back_off <= 0
    if work.queued and not is_read_due:
        return wait(work.send_wait, work, waits)
    if not (work.uncertain or work.claimed_elsewhere):
        return End()
    return Sleep(min(work.read_wait, POLL)) if work.read_wait > 0 else Read()


def wait(seconds: float, work: Workload, waits: Waits) -> Sleep | Defer:
    """
    Return whether the run waits or asks to be deferred.

    :param seconds: the length of the wait.
    :param work: the work of the run.
    :param waits: the longest waits that the run accepts.
    """
    if work.back_off > (waits.longest if waits.defer_over is None else waits.defer_over):
        return Defer(work.resume_wait)
    if _is_worth_deferring(seconds, work, waits):
        return Defer(max(seconds - waits.resume_allowance, work.back_off, 0.0), is_for_quota=True)
    return Sleep(min(max(seconds - waits.prepare_ahead, 0.0), POLL))


def _is_worth_deferring(seconds: float, work: Workload, waits: Waits) -> bool:
    """Return whether the worker slot is free for most of a wait for the write quota."""
    if waits.defer_quota_over is None or seconds <= work.back_off:
        return False
    # The first reads after a send are quick and find most links. The next attempt would only have to repeat them.
    is_reading = work.uncertain > 0 and work.read_wait < SHORT_READ_WAIT
    is_long = seconds >= waits.defer_quota_over and seconds - waits.resume_allowance >= waits.defer_quota_over / 2
    return is_long and not is_reading
