"""What becomes of registrants between a run that cancels and one that enrolls, decision by decision."""

from dataclasses import replace

import pytest

from airflow_provider_teams_registration.core.entries import claim_of, result_of
from airflow_provider_teams_registration.core.lifecycle import advance
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.problem import Problem
from airflow_provider_teams_registration.core.record import RecordState, RegistrationRecord, TaskRun
from airflow_provider_teams_registration.core.registration import Absent, Inconclusive, Present, RemoteRegistration
from airflow_provider_teams_registration.core.state import (
    Claimed,
    ClaimLost,
    Effect,
    GivenUp,
    Goal,
    LedgerRead,
    LookedUp,
    Policy,
    Refused,
    RegistrantState,
    Removed,
    ResponseLost,
    State,
)

ENROLLS, CANCELS = TaskRun("dag", "run 1", "enroll"), TaskRun("dag", "run 1", "cancel")
LINK = "https://teams.example/1"
WHY = Problem("why")
TO_ENROLL = Policy(ENROLLS, links_are_readable=False)
BY_KEY = Policy(CANCELS, links_are_readable=False, goal=Goal.CANCEL, removes_by_key=True)
BY_LOOKUP = Policy(CANCELS, links_are_readable=True, goal=Goal.CANCEL)
ENROLLED = RegistrationRecord("ada", "f", Outcome.ENROLLED, join_web_url=LINK, run=ENROLLS, version=3, age=1000.0)
LEFT_BY_CANCELLER = replace(ENROLLED, state=RecordState.CANCELLING, run=CANCELS, version=4)
SHOWN = LookedUp(Present([RemoteRegistration(Outcome.ENROLLED)]))


def play(policy, *events, now=0.0):
    state, effect = RegistrantState(fingerprint="f"), Effect.ASK_LEDGER
    for event in events:
        state, effect = advance(state, event, policy, now)
    return state, effect


def claimed(state, policy):
    record = replace(claim_of("ada", None, state, policy), run=policy.run, version=4)
    return advance(state, Claimed(record), policy, 0.0)


def test_claim_to_cancel_keeps_the_link_and_a_refusal_puts_the_record_back():
    state, _ = play(BY_KEY, LedgerRead(ENROLLED))
    claim = claim_of("ada", None, state, BY_KEY)
    state, effect = claimed(state, BY_KEY)
    assert effect is Effect.REMOVE
    state, effect = advance(state, Refused(WHY), BY_KEY, 0.0)

    assert (claim.state, claim.outcome, claim.join_web_url) == (RecordState.CANCELLING, Outcome.ENROLLED, LINK)
    assert (effect, state.result.outcome) == (Effect.RECORD, Outcome.REJECTED)
    assert result_of("ada", None, state, BY_KEY) == replace(ENROLLED, version=4)


@pytest.mark.parametrize("ends", [Refused(WHY), GivenUp(WHY)], ids=["refused", "stopped"])
@pytest.mark.parametrize(
    ("policy", "record", "before"),
    [
        (BY_KEY, LEFT_BY_CANCELLER, []),
        (BY_KEY, ENROLLED, [ResponseLost(WHY)]),
        (BY_LOOKUP, ENROLLED, [Removed(), SHOWN]),
        (BY_LOOKUP, ENROLLED, [ResponseLost(WHY), SHOWN]),
    ],
    ids=["earlier attempt killed", "removal lost", "removal confirmed, shown", "removal lost, shown"],
)
def test_link_that_may_have_ended_does_not_go_back_as_one_that_works(policy, record, before, ends):
    state, _ = play(policy, LedgerRead(record), *([] if policy.removes_by_key else [SHOWN]))
    state, _ = claimed(state, policy)
    for event in before:
        state, _ = advance(state, event, policy, 0.0)
    state, effect = advance(state, ends, policy, 0.0)
    assert effect is Effect.RECORD

    record = replace(result_of("ada", None, state, policy), run=CANCELS, age=1000.0)

    _, effect = play(TO_ENROLL, LedgerRead(record))
    assert (record.join_web_url, effect) == (LINK, Effect.LOOK_UP)


def test_run_that_is_stopped_before_it_claims_writes_nothing():
    state, _ = play(BY_KEY, LedgerRead(ENROLLED))

    state, effect = advance(state, GivenUp(Problem("stopped", is_transient=True)), BY_KEY, 0.0)

    assert (state.state, effect, state.result.outcome) == (State.DONE, Effect.NOTHING, Outcome.NOT_SENT)


@pytest.mark.parametrize("policy", [BY_KEY, BY_LOOKUP], ids=["meeting", "webinar"])
def test_person_whom_another_run_is_sending_is_looked_up_first(policy):
    sending = RegistrationRecord("ada", "f", Outcome.UNKNOWN, RecordState.CLAIMED, run=ENROLLS, version=1, age=1.0)

    state, effect = play(policy, LedgerRead(sending))
    assert effect is Effect.LOOK_UP
    state, effect = advance(state, LookedUp(Absent()), policy, 1.0)
    assert effect is Effect.LOOK_UP
    state, effect = advance(state, SHOWN, policy, 2.0)

    assert (state.state, effect) == (State.REMOVING, Effect.CLAIM)


def test_person_who_was_sent_a_moment_ago_and_is_not_found_is_looked_up_until_they_may_not_show_any_more():
    lately = replace(ENROLLED, age=1.0)
    state, _ = play(BY_KEY, LedgerRead(lately))
    state, _ = claimed(state, BY_KEY)
    state, effect = advance(state, Removed(was_there=False), BY_KEY, 0.0)
    for now in (0.0, 60.0, BY_KEY.settle_after - 1.1):
        assert effect is Effect.LOOK_UP
        state, effect = advance(state, LookedUp(Absent()), BY_KEY, now)
    for _ in range(2):
        assert effect is Effect.LOOK_UP
        state, effect = advance(state, LookedUp(Absent()), BY_KEY, BY_KEY.settle_after)

    assert (effect, state.result.outcome) == (Effect.RECORD, Outcome.CANCELLED)


def test_removal_by_key_is_repeated_where_no_read_could_show_whether_it_took_effect():
    lately = replace(ENROLLED, age=1.0)
    state, _ = play(BY_KEY, LedgerRead(lately))
    state, _ = claimed(state, BY_KEY)
    state, _ = advance(state, Removed(was_there=False), BY_KEY, 0.0)
    state, effect = advance(state, LookedUp(Inconclusive(WHY)), BY_KEY, BY_KEY.settle_after)
    assert (state.state, effect) == (State.REMOVING, Effect.CLAIM)
    state, _ = claimed(state, BY_KEY)

    state, effect = advance(state, Removed(was_there=False), BY_KEY, BY_KEY.settle_after)

    assert (effect, state.result.outcome) == (Effect.RECORD, Outcome.CANCELLED)


def test_removal_that_contradicts_a_read_is_settled_by_reads_that_agree():
    lately = RegistrationRecord("ada", "f", Outcome.UNKNOWN, RecordState.CLAIMED, run=ENROLLS, version=1, age=1.0)
    state, _ = play(BY_KEY, LedgerRead(lately), SHOWN)
    state, _ = claimed(state, BY_KEY)
    state, effect = advance(state, Removed(was_there=False), BY_KEY, 0.0)
    for now in (0.0, 60.0, BY_KEY.settle_after, BY_KEY.settle_after):
        assert effect is Effect.LOOK_UP
        state, effect = advance(state, LookedUp(Absent()), BY_KEY, now)

    assert (effect, state.result.outcome) == (Effect.RECORD, Outcome.CANCELLED)


def test_person_whom_reads_show_and_no_removal_finds_is_unknown_in_the_end():
    state, effect = play(BY_KEY, LedgerRead(replace(ENROLLED, age=1.0)))
    now = 0.0
    while effect is Effect.CLAIM:
        state, _ = claimed(state, BY_KEY)
        state, effect = advance(state, Removed(was_there=False), BY_KEY, now)
        while effect is Effect.LOOK_UP:
            now += 30.0
            state, effect = advance(state, SHOWN, BY_KEY, now)

    assert (effect, state.result.outcome) == (Effect.RECORD, Outcome.UNKNOWN)
    assert now < 5 * BY_KEY.settle_after


def test_list_that_shows_a_removed_person_for_a_while_is_waited_for():
    sending = RegistrationRecord("ada", "f", Outcome.UNKNOWN, RecordState.CLAIMED, run=ENROLLS, version=1, age=30.0)
    state, _ = play(BY_KEY, LedgerRead(sending), SHOWN)
    state, _ = claimed(state, BY_KEY)
    state, effect = advance(state, Removed(), BY_KEY, 0.0)
    for read, now in [(SHOWN, 1.0), (SHOWN, 5.0), *[(LookedUp(Absent()), at) for at in (20.0, 90.0, 90.5)]]:
        assert effect is Effect.LOOK_UP
        state, effect = advance(state, read, BY_KEY, now)

    assert (effect, state.result.outcome) == (Effect.RECORD, Outcome.CANCELLED)


def test_retry_waits_for_a_send_without_an_outcome_as_long_as_the_attempt_that_was_killed():
    left = RegistrationRecord("ada", "f", Outcome.UNKNOWN, RecordState.CANCELLING, run=CANCELS, version=2, age=3.0)

    state, effect = play(BY_LOOKUP, LedgerRead(left), LookedUp(Absent()), LookedUp(Absent()))

    assert (state.result, effect) == (None, Effect.LOOK_UP)


def test_read_that_proves_nothing_after_a_send_without_an_outcome_leaves_it_open():
    sending = RegistrationRecord("ada", "f", Outcome.UNKNOWN, RecordState.CLAIMED, run=ENROLLS, version=1, age=3.0)
    state, _ = play(BY_LOOKUP, LedgerRead(sending), SHOWN)
    state, _ = claimed(state, BY_LOOKUP)
    state, _ = advance(state, Removed(), BY_LOOKUP, 0.0)

    state, effect = advance(state, LookedUp(Inconclusive(WHY)), BY_LOOKUP, BY_LOOKUP.settle_after)

    assert (effect, state.result.outcome) == (Effect.RECORD, Outcome.UNKNOWN)


@pytest.mark.parametrize("policy", [BY_KEY, BY_LOOKUP], ids=["meeting", "webinar"])
def test_removal_of_what_was_there_before_a_send_is_no_proof_that_the_send_had_no_effect(policy):
    sending = RegistrationRecord("ada", "f", Outcome.UNKNOWN, RecordState.CLAIMED, run=ENROLLS, version=1, age=3.0)
    state, _ = play(policy, LedgerRead(sending), SHOWN)
    state, _ = claimed(state, policy)
    state, effect = advance(state, Removed(), policy, 0.0)
    for now in (0.0, 60.0):
        assert effect is Effect.LOOK_UP
        state, effect = advance(state, LookedUp(Absent()), policy, now)

    _, effect = advance(state, SHOWN, policy, policy.settle_after)

    assert effect is Effect.CLAIM


def test_one_read_is_no_proof_for_a_person_whom_the_ledger_has_as_enrolled():
    state, effect = play(BY_LOOKUP, LedgerRead(ENROLLED), LookedUp(Absent()))
    assert effect is Effect.LOOK_UP
    state, effect = advance(state, LookedUp(Absent()), BY_LOOKUP, 0.0)

    assert (effect, state.result.outcome) == (Effect.RECORD, Outcome.CANCELLED)


def test_person_with_a_second_registration_is_not_cancelled_before_both_are_off():
    state, _ = play(BY_LOOKUP, LedgerRead(None), SHOWN)
    for read in (SHOWN, LookedUp(Absent())):
        state, _ = claimed(state, BY_LOOKUP)
        state, effect = advance(state, Removed(), BY_LOOKUP, 0.0)
        assert effect is Effect.LOOK_UP
        state, effect = advance(state, read, BY_LOOKUP, 0.0)

    assert (effect, state.result.outcome) == (Effect.RECORD, Outcome.CANCELLED)


@pytest.mark.parametrize(("is_transient", "outcome"), [(True, Outcome.NOT_SENT), (False, Outcome.REJECTED)])
def test_read_that_proves_nothing_cancels_nobody(is_transient, outcome):
    read = LookedUp(Inconclusive(Problem("why", is_transient=is_transient)))

    state, effect = play(BY_LOOKUP, LedgerRead(None), read)

    assert (effect, state.result.outcome) == (Effect.NOTHING, outcome)


def test_result_that_came_too_late_for_the_ledger_is_found_anew():
    state, _ = play(BY_KEY, LedgerRead(None))
    state, _ = claimed(state, BY_KEY)
    state, effect = advance(state, Removed(), BY_KEY, 0.0)
    assert effect is Effect.RECORD

    state, effect = advance(state, ClaimLost(ENROLLED), BY_KEY, 0.0)

    assert (state.result, effect) == (None, Effect.CLAIM)


def test_run_that_enrolls_waits_for_one_that_cancels():
    state, effect = play(TO_ENROLL, LedgerRead(replace(LEFT_BY_CANCELLER, age=1.0)))

    assert (state.state, effect) == (State.CLAIMED_ELSEWHERE, Effect.POLL_LEDGER)


def test_link_of_a_person_whom_a_killed_run_did_not_cancel_is_still_theirs():
    state, effect = play(TO_ENROLL, LedgerRead(LEFT_BY_CANCELLER), SHOWN)

    assert (effect, state.result.join_web_url) == (Effect.RECORD, LINK)


def test_link_that_a_read_shows_is_newer_than_that_of_a_run_that_was_killed_while_it_cancelled():
    newer = "https://teams.example/2"
    shown = LookedUp(Present([RemoteRegistration(Outcome.ENROLLED, newer)]))

    state, effect = play(Policy(ENROLLS, links_are_readable=True), LedgerRead(LEFT_BY_CANCELLER), shown)

    assert (effect, state.result.join_web_url) == (Effect.RECORD, newer)


def test_link_is_kept_where_a_read_shows_the_same_registration_and_no_link():
    shown = LookedUp(Present([RemoteRegistration(Outcome.ENROLLED, registration_id="R1", link_forbidden=True)]))
    left = replace(LEFT_BY_CANCELLER, registration_id="R1")

    state, effect = play(Policy(ENROLLS, links_are_readable=True), LedgerRead(left), shown)

    assert (effect, state.result.join_web_url) == (Effect.RECORD, LINK)


def test_person_whom_a_killed_run_cancelled_is_enrolled_anew():
    state, effect = play(TO_ENROLL, LedgerRead(LEFT_BY_CANCELLER), LookedUp(Absent()), LookedUp(Absent()))

    assert (state.state, effect) == (State.QUEUED, Effect.CLAIM)


@pytest.mark.parametrize(("is_transient", "effect"), [(True, Effect.RECORD), (False, Effect.CLAIM)])
def test_first_read_that_proves_nothing_for_now_sends_nobody(is_transient, effect):
    read = LookedUp(Inconclusive(Problem("why", is_transient=is_transient)))

    state, found = play(TO_ENROLL, LedgerRead(None), read)

    assert found is effect
    assert state.result is None or state.result.outcome is Outcome.NOT_SENT
