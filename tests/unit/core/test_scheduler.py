"""When a run waits on its worker, and when it leaves the worker."""

import pytest

from airflow_provider_teams_registration.core.quota import ResumeTime, SentWrites, counting, grouped
from airflow_provider_teams_registration.core.scheduler import Collect, Defer, Read, Sleep, Waits, Workload, next_action

DEFERRABLE = Waits(longest=900, defer_over=45, prepare_ahead=0.2, defer_quota_over=10, resume_allowance=4.5)
IN_THE_WORKER = Waits(longest=900, prepare_ahead=0.2)


def test_a_wait_for_the_quota_leaves_the_worker_until_a_resume_before_the_quota_opens():
    assert next_action(Workload(queued=985, send_wait=29.5), DEFERRABLE) == Defer(25.0, is_for_quota=True)


@pytest.mark.parametrize("send_wait", [0.5, 4.0, 9.9])
def test_a_short_wait_for_the_quota_stays_in_the_worker(send_wait):
    assert isinstance(next_action(Workload(queued=985, send_wait=send_wait), DEFERRABLE), Sleep)


def test_a_slow_airflow_is_not_asked_to_resume_where_little_of_the_wait_is_left():
    slow = Waits(longest=900, defer_over=45, defer_quota_over=10, resume_allowance=26)
    assert isinstance(next_action(Workload(queued=985, send_wait=29.5), slow), Sleep)


def test_a_task_that_may_not_be_deferred_waits_for_the_quota_in_the_worker():
    assert isinstance(next_action(Workload(queued=985, send_wait=29.5), IN_THE_WORKER), Sleep)


def test_calls_under_way_are_collected_before_the_worker_is_left():
    assert isinstance(next_action(Workload(queued=985, calls=1, send_wait=29.5), DEFERRABLE), Collect)


@pytest.mark.parametrize(("read_wait", "leaves"), [(0.5, False), (2.0, True)])
def test_quick_reads_after_a_send_come_before_the_worker_is_left(read_wait, leaves):
    work = Workload(queued=985, uncertain=3, read_wait=read_wait, send_wait=28)
    assert isinstance(next_action(work, DEFERRABLE), Defer) is leaves


def test_a_read_that_is_due_comes_before_the_worker_is_left():
    assert next_action(Workload(queued=985, uncertain=3, send_wait=28), DEFERRABLE) == Read()


def test_a_wait_that_the_service_asks_for_is_waited_out_in_full():
    work = Workload(queued=985, send_wait=60, back_off=60, resume_wait=60)
    assert next_action(work, DEFERRABLE) == Defer(60)
    # A shorter one stays in the worker, even if the quota would be used up for as long.
    assert isinstance(next_action(Workload(queued=985, send_wait=30, back_off=30), DEFERRABLE), Sleep)


def test_a_resume_for_the_quota_comes_after_the_wait_that_the_service_asks_for():
    work = Workload(queued=985, send_wait=29, back_off=28)
    assert next_action(work, DEFERRABLE) == Defer(28, is_for_quota=True)


def test_the_time_of_a_resume_is_learned_from_what_resumes_took():
    time = ResumeTime()
    for measured in [8.0, 8.2, 7.9, 8.1] * 5:
        time = time.after(measured)
    assert time.mean == pytest.approx(8.0, abs=0.2)
    assert 8.0 < time.allowance < 9.0


def test_a_clock_that_was_set_does_not_make_the_time_of_a_resume_impossible():
    for measured in (-600.0, float("nan"), float("inf")):
        assert 0 <= ResumeTime().after(measured).mean <= 3.5
    assert ResumeTime().after(86_400.0).allowance < 50


def test_writes_count_until_they_are_a_window_old():
    writes = [SentWrites(31, 4), SentWrites(29.9, 5), SentWrites(-1, 6)]
    assert counting(writes, 30) == 11
    assert counting(writes, 30, ahead=0.25) == 6


def test_writes_are_grouped_by_age():
    assert grouped([1.0, 3.0, 1.0]) == [SentWrites(3.0, 1), SentWrites(1.0, 2)]
