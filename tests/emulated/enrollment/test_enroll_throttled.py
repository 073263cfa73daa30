"""Graph throttles the enrolling."""

from collections import Counter

from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested
from tests.emulated.enrollment.meeting_people import REGISTRANTS, people, sent, those


def test_throttled_person_is_sent_again_after_the_wait_and_nobody_is_sent_during_it(run, enrolled, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 3", status=429, retry_after="0.2")

    report = run(people(60), max_parallel_requests=1)

    assert report.counts == {"enrolled": 60}
    assert Counter(enrolled()) == Counter({f"person {n}": 1 for n in range(60)})
    throttled, again = sent(emulator, "person 3")
    assert (throttled.status, again.status) == (429, 200)
    first_batch = throttled.batch
    later = [entry for entry in emulator.store.journal if entry.registrant_id and entry.batch != first_batch]
    assert all(0.2 <= entry.at - throttled.at < 5 for entry in later)


def test_everybody_in_a_throttled_call_is_sent_again_after_the_wait(run, enrolled, emulator, calls):
    emulator.add_fault("POST $batch", status=429, retry_after="0.15", times=2)

    report = run(people(40), max_parallel_requests=1)

    assert report.counts == {"enrolled": 40}
    assert len(enrolled()) == 40
    at = [entry.at for entry in emulator.store.journal if entry.path.endswith("$batch")]
    assert len(at) == 4
    assert at[1] - at[0] >= 0.15
    assert at[2] - at[1] >= 0.15


def test_wait_asked_for_by_a_call_under_way_is_kept_while_another_wait_runs_out(run, enrolled, emulator):
    emulator.add_fault("POST $batch", status=429, retry_after="0.5", delay=0.1)
    emulator.add_fault("POST $batch", nth=2, status=429, retry_after="0.9", delay=0.2)

    report = run(people(60), max_parallel_requests=2)

    assert report.counts == {"enrolled": 60}
    _, slow, *others = [entry for entry in emulator.store.journal if entry.path.endswith("$batch")]
    assert others
    assert all(entry.at - slow.at >= 1.1 for entry in others)


def test_longest_of_several_waits_counts(run, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 0", status=429, retry_after="0.1")
    emulator.add_fault(REGISTRANTS, registrant_id="person 1", status=429, retry_after="0.2")
    emulator.add_fault(REGISTRANTS, registrant_id="person 2", status=429)

    report = run(people(3))

    assert report.counts == {"enrolled": 3}
    throttled, again = sent(emulator, "person 0")
    assert again.at - throttled.at >= 0.2


def test_endless_throttling_of_a_person_ends_as_not_sent(run, enrolled, emulator, no_backoff):
    emulator.add_fault(REGISTRANTS, registrant_id="person 3", status=429, retry_after="0", times=0)

    report = run(people(30))

    assert report.counts == {"enrolled": 29, "not_sent": 1}
    (refused,) = those(report, "not_sent")
    assert refused.position == 4
    assert refused.transient
    assert "429 TooManyRequests" in refused.error
    assert len(sent(emulator, "person 3")) == 8
    assert len(enrolled()) == 29


def test_endless_throttling_of_every_call_ends(run, enrolled, emulator, no_backoff, calls):
    emulator.add_fault("POST $batch", status=429, times=0)

    report = run(people(30), max_parallel_requests=1)

    assert report.counts == {"not_sent": 30}
    assert all(refused.transient for refused in those(report, "not_sent"))
    # One may have been lined up behind the last.
    assert 8 <= len(calls("$batch")) <= 9
    assert enrolled() == []


def test_wait_of_an_hour_is_not_waited_out(run, enrolled, emulator, calls):
    emulator.add_fault("POST $batch", status=429, retry_after="3600", times=0)

    report = run(people(1000))

    assert report.counts == {"not_sent": 1000}
    assert all(refused.transient for refused in those(report, "not_sent"))
    assert len(calls("$batch")) <= 8
    assert isinstance(report.aborted_by, DeferRequested)
    assert report.aborted_by.seconds == 3600
