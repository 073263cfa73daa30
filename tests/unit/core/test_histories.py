"""
Two runs, killed and retried, and a service that loses answers and shows registrations late, in 10,000 random histories.

Whatever happens in whatever order, nobody is on the event twice, and ``cancelled`` and ``enrolled`` are true.
"""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_teams_registration.core.entries import claim_of, result_of
from airflow_provider_teams_registration.core.lifecycle import advance
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.problem import Problem
from airflow_provider_teams_registration.core.record import PENDING, RecordState, RegistrationRecord, TaskRun
from airflow_provider_teams_registration.core.registration import Absent, Inconclusive, Present, RemoteRegistration
from airflow_provider_teams_registration.core.state import (
    BatchRefused,
    Claimed,
    ClaimExpired,
    ClaimLost,
    Clash,
    Effect,
    Enrolled,
    GivenUp,
    Goal,
    LedgerRead,
    LookedUp,
    NotExecuted,
    OnMissingJoinUrl,
    Policy,
    Recorded,
    Refused,
    RegistrantState,
    Removed,
    ResponseLost,
    State,
    TokenRefused,
)

SETTLE_AFTER, CLAIM_TTL = 10.0, 1.0
LINK = "https://teams.example/1"
WHY = Problem("why", is_transient=True)
ANSWERS = ["taken", "taken and lost", "lost", "throttled", "refused", "token", "batch refused", "expired", "no link"]
ANSWERS += ["stop", "killed"]
PASSING = [0.0, 0.1, 0.4, 3.0]


@dataclass
class World:
    """
    The service and the ledger as they are, and the time.

    :ivar on_event: when each registration shows to reads, and its link.
    """

    lag: float
    links_are_readable: bool
    now: float = 0.0
    on_event: list[tuple[float, str]] = field(default_factory=list)
    record: RegistrationRecord | None = None
    written_at: float = 0.0
    sends: int = 0

    def enrolled_before(self):
        """Let an earlier run have enrolled the registrant, long ago."""
        self.on_event = [(0.0, LINK)]
        self.now = 1000.0
        self.record = RegistrationRecord("r", "f", Outcome.ENROLLED, join_web_url=LINK, version=1)

    def read(self):
        age = self.now - self.written_at
        return None if self.record is None else replace(self.record, age=age)

    def write(self, record, version, run):
        """Write as a ledger does: only what nobody changed since it was read."""
        if (self.record.version if self.record else 0) != version:
            return None
        self.record = replace(record, version=version + 1, run=run)
        self.written_at = self.now
        return self.read()

    def shown(self):
        shown = [link if self.links_are_readable else None for since, link in self.on_event if since <= self.now]
        return [RemoteRegistration(Outcome.ENROLLED, link) for link in shown]

    def works(self, link):
        return any(link == one for _, one in self.on_event)


MAY_BE_GIVEN_UP = {(Goal.ENROLL, State.QUEUED), (Goal.ENROLL, State.REMOVING), (Goal.CANCEL, State.REMOVING)}


class Actor:
    """One run at work on the one registrant."""

    def __init__(self, world, run, policy):
        self.world, self.run, self.policy, self.goal = world, run, policy, policy.goal
        self.claimed_at = 0.0
        self.begin()

    def begin(self):
        """Begin the first attempt, or a retry, which knows nothing of the attempt before."""
        self.state, self.effect = RegistrantState(fingerprint="f"), Effect.ASK_LEDGER

    @property
    def version(self):
        return self.state.record.version if self.state.record else 0

    def step(self, answer, is_read_open):
        event = self._do(answer, is_read_open)
        self.state, self.effect = advance(self.state, event, self.policy, self.world.now)
        if self.state.state is not State.DONE:
            return
        result = self.state.result
        if result.outcome is Outcome.CANCELLED:
            assert not self.world.on_event, "cancelled, and still on the event"
        if result.join_web_url:
            assert self.world.works(result.join_web_url), "handed on a link that does not work"

    def _do(self, answer, is_read_open):
        world = self.world
        if answer == "stop" and (self.goal, self.state.state) in MAY_BE_GIVEN_UP and self.effect is Effect.CLAIM:
            return GivenUp(WHY)
        if self.effect in (Effect.ASK_LEDGER, Effect.POLL_LEDGER):
            return LedgerRead(world.read())
        if self.effect in (Effect.FIND_PRESENT, Effect.LOOK_UP):
            if shown := world.shown():
                return LookedUp(Present(shown))
            return LookedUp(Inconclusive(WHY, is_refused=False) if is_read_open else Absent())
        if self.effect is Effect.CLAIM:
            return self._write(claim_of("r", None, self.state, self.policy), Claimed)
        if self.effect is Effect.RECORD:
            return self._write(result_of("r", None, self.state, self.policy), lambda _: Recorded())
        if world.now - self.claimed_at > CLAIM_TTL:
            return ClaimExpired()
        return self._remove(answer) if self.effect is Effect.REMOVE else self._send(answer)

    def _write(self, record, stored):
        written = self.world.write(record, self.version, self.run)
        if written is None:
            return ClaimLost(self.world.read())
        self.claimed_at = self.world.now
        return stored(written)

    def _send(self, answer):
        world = self.world
        assert world.record.run == self.run, "sent without a claim"
        assert world.record.state in PENDING, "sent without a claim"
        early = {
            "throttled": NotExecuted(WHY),
            "refused": Refused(WHY),
            "token": TokenRefused(WHY),
            "batch refused": BatchRefused(),
            "expired": ClaimExpired(),
            "lost": ResponseLost(WHY),
        }.get(answer)
        if early is not None:
            return early
        assert not world.on_event, "sent while on the event"
        world.sends += 1
        link = f"https://teams.example/sent/{world.sends}"
        world.on_event.append((world.now + world.lag, link))
        if answer == "taken and lost":
            return ResponseLost(WHY)
        link = None if answer == "no link" else link
        outcome = Outcome.UNKNOWN if world.links_are_readable else Outcome.ENROLLED
        return Enrolled(RemoteRegistration(outcome, None if world.links_are_readable else link))

    def _remove(self, answer):
        world = self.world
        assert world.record.run == self.run or self.goal is Goal.ENROLL, "removed without a claim"
        early = {
            "throttled": NotExecuted(WHY),
            "token": TokenRefused(WHY),
            "lost": ResponseLost(WHY),
            "expired": ClaimExpired(),
            "batch refused": BatchRefused(),
        }.get(answer)
        if early is None and answer == "refused" and self.goal is Goal.CANCEL:
            early = Refused(WHY)
        if early is not None:
            return early
        # What does not show yet cannot be removed by its key either.
        is_there = bool(world.shown())
        world.on_event[:] = world.on_event[1:] if is_there else world.on_event
        return ResponseLost(WHY) if answer == "taken and lost" else Removed(is_there)


def decoded(byte):
    """Read one step of a history from a byte, which costs Hypothesis far less than to draw four values."""
    byte, which = divmod(byte, 2)
    byte, is_read_open = divmod(byte, 2)
    passing, answer = divmod(byte, len(ANSWERS))
    return which, ANSWERS[answer], bool(is_read_open), PASSING[passing % len(PASSING)]


def play_out(world, actors):
    """Let the runs end. From here on the service tells the truth."""
    for actor in [*actors, *actors]:
        for _ in range(80):
            if actor.effect is Effect.NOTHING:
                break
            world.now += 0.6
            actor.step("taken", is_read_open=False)


BOTH_ENROLL, ONE_OF_EACH, BOTH_CANCEL = (
    (Goal.ENROLL, Goal.ENROLL),
    (Goal.ENROLL, Goal.CANCEL),
    (Goal.CANCEL, Goal.CANCEL),
)


@pytest.mark.parametrize("links_are_readable", [False, True], ids=["meeting", "webinar"])
@pytest.mark.parametrize("goals", [BOTH_ENROLL, ONE_OF_EACH, BOTH_CANCEL], ids=["enroll", "enroll-cancel", "cancel"])
@settings(max_examples=1700, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.binary(max_size=60),
    lag=st.sampled_from([0.0, 0.3, 4.0]),
    on_missing=st.sampled_from(OnMissingJoinUrl),
    enrolled_before=st.booleans(),
)
def test_nobody_is_on_the_event_twice_and_everybody_ends(
    links_are_readable, goals, steps, lag, on_missing, enrolled_before
):
    world = World(lag, links_are_readable)
    if enrolled_before:
        world.enrolled_before()
    actors = [
        Actor(
            world,
            run,
            Policy(run, links_are_readable, on_missing, SETTLE_AFTER, goal, removes_by_key=not links_are_readable),
        )
        for run, goal in zip((TaskRun("dag", "run 1"), TaskRun("dag", "run 2")), goals, strict=True)
    ]

    for which, answer, is_read_open, passing in map(decoded, steps):
        world.now += passing
        if answer == "killed":
            actors[which].begin()
        elif actors[which].effect is not Effect.NOTHING:
            actors[which].step(answer, is_read_open)
        assert len(world.on_event) <= 1
    play_out(world, actors)
    assert [actor.state.state for actor in actors] == [State.DONE, State.DONE]
    if all(actor.state.result.outcome is Outcome.CANCELLED for actor in actors):
        assert world.record.state is not RecordState.CANCELLING
    if goals == BOTH_ENROLL and on_missing is not OnMissingJoinUrl.RE_ENROLL:
        assert world.on_event or not any(actor.state.result.join_web_url for actor in actors)
    if enrolled_before and world.on_event and goals == BOTH_CANCEL:
        assert world.record.join_web_url == LINK, "a link was lost that still works"


def test_conflict_of_somebody_whom_no_read_shows_is_a_refusal():
    policy = Policy(TaskRun(), links_are_readable=False, on_missing_join_url=OnMissingJoinUrl.IGNORE, settle_after=1.0)
    state, effect = RegistrantState(State.IN_FLIGHT), Effect.SEND

    state, effect = advance(state, Clash(WHY, is_conflict=True), policy, 0.0)
    assert effect is Effect.LOOK_UP
    state, effect = advance(state, LookedUp(Absent()), policy, 2.0)
    assert effect is Effect.LOOK_UP
    state, effect = advance(state, LookedUp(Absent()), policy, 2.5)

    assert (state.result.outcome, state.result.problem) == (Outcome.REJECTED, WHY)


def test_enrolled_without_a_link_gets_a_new_one_once_and_only_if_asked():
    for on_missing, state in [("fail", State.DECIDED), ("ignore", State.DECIDED), ("re_enroll", State.REMOVING)]:
        policy = Policy(TaskRun(), links_are_readable=False, on_missing_join_url=OnMissingJoinUrl(on_missing))
        said = Enrolled(RemoteRegistration(Outcome.ENROLLED))
        first, _ = advance(RegistrantState(State.IN_FLIGHT), said, policy, 0.0)
        assert first.state is state
        again, _ = advance(replace(first, state=State.IN_FLIGHT, to_remove=0), said, policy, 0.0)
        if on_missing == "re_enroll":
            assert again.state is State.DECIDED


def test_link_that_the_ledger_does_not_have_is_not_handed_on():
    from airflow_provider_teams_registration.core.state import Ended

    policy = Policy(TaskRun(), links_are_readable=False)
    said = Enrolled(RemoteRegistration(Outcome.ENROLLED, "https://teams.example/1"))
    decided, effect = advance(RegistrantState(State.IN_FLIGHT), said, policy, 0.0)
    assert effect is Effect.RECORD

    ended, _ = advance(decided, Ended(WHY), policy, 0.0)

    assert (ended.result.outcome, ended.result.join_web_url) == (Outcome.UNKNOWN, None)


def test_person_who_is_off_after_a_lost_removal_counts_as_one_who_was_never_on():
    policy = Policy(TaskRun(), links_are_readable=False, settle_after=1.0)
    state, _ = advance(RegistrantState(State.REMOVING, to_remove=1), ResponseLost(WHY), policy, 0.0)
    for now in (2.0, 3.0):
        state, _ = advance(state, LookedUp(Absent()), policy, now)
    state, _ = advance(state, Claimed(RegistrationRecord("somebody", "", Outcome.UNKNOWN)), policy, 3.0)

    refused, _ = advance(state, Refused(WHY), policy, 4.0)

    assert refused.result.outcome is Outcome.REJECTED
