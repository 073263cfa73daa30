"""The service's allowance for writes: used up, never exceeded."""

import threading

import pytest

from airflow_provider_teams_registration.core.quota import SentWrites
from airflow_provider_teams_registration.exceptions import (
    AnswerLost,
    BadRequest,
    ServiceUnreachable,
    SignInError,
    Stopped,
    Throttled,
)
from airflow_provider_teams_registration.graph.rate_limit import RateLimiter
from airflow_provider_teams_registration.graph.write_quota import WriteQuota, may_count


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Stop(threading.Event):
    """A stop that nobody asks for: to wait for it is to let time pass."""

    def __init__(self, clock):
        super().__init__()
        self._clock = clock

    def wait(self, timeout=None):
        self._clock.sleep(timeout)
        return False


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def writes(clock):
    return WriteQuota(RateLimiter(stop=Stop(clock), clock=clock.monotonic), 15, 30.0)


def test_whole_allowance_may_be_used_at_once(writes):
    assert (writes.room, writes.send_wait()) == (15, 0)
    writes.reserve(15)
    writes.commit(15)

    assert writes.room == 0
    assert writes.send_wait() == 30


def test_writes_under_way_take_room(writes):
    writes.reserve(10)
    assert (writes.room, writes.send_wait()) == (5, 0)

    writes.reserve(5)
    assert writes.room == 0
    assert writes.send_wait() > 0


def test_write_counts_from_its_answer_on(writes, clock):
    writes.reserve(15)
    clock.sleep(10)
    writes.commit(15)
    clock.sleep(29)
    assert (writes.room, writes.send_wait()) == (0, 1)

    clock.sleep(1)
    assert (writes.room, writes.send_wait()) == (15, 0)


def test_room_comes_back_write_by_write(writes, clock):
    for _ in range(15):
        writes.reserve(1)
        writes.commit(1)
        clock.sleep(1)
    assert (writes.room, writes.send_wait()) == (0, 15)

    clock.sleep(16)
    assert (writes.room, writes.send_wait()) == (2, 0)


def test_more_under_way_than_allowed_is_no_negative_room(writes):
    writes.reserve(20)

    assert writes.room == 0
    assert writes.send_wait() == 30


def test_wait_ends_once_there_is_room(writes, clock):
    writes.reserve(15)
    writes.commit(15)

    writes.wait()

    assert clock.now == 1030
    assert writes.room == 15


def test_any_span_of_the_window_holds_at_most_the_limit(writes, clock):
    times = []
    for size in [7, 15, 3, 1, 20, 15, 8] * 5:
        left = size
        while left:
            writes.wait()
            some = min(writes.room, left)
            writes.reserve(some)
            times += [clock.now] * some
            clock.sleep(0.3)
            writes.commit(some)
            left -= some

    assert all(later - earlier >= 30 for earlier, later in zip(times, times[15:], strict=False))
    assert times[-1] - times[0] <= 1.05 * writes.estimate(len(times))


@pytest.mark.parametrize(
    ("number", "seconds"), [(0, 0), (1, 0), (15, 0), (16, 30), (30, 30), (31, 60), (150, 270), (1000, 1980)]
)
def test_estimate_is_what_the_service_permits(writes, number, seconds):
    assert writes.estimate(number) == seconds


def test_what_the_service_asks_of_the_session_holds_for_its_writes_and_the_other_way_round(clock):
    shared = RateLimiter(stop=Stop(clock), clock=clock.monotonic)
    one, other = WriteQuota(shared, 15, 30), WriteQuota(shared, 15, 30)

    shared.back_off(5)
    assert one.backoff_remaining() == one.send_wait() == 5
    one.back_off(9)
    assert shared.send_wait() == other.send_wait() == other.backoff_remaining() == 9

    one.reserve(15)
    one.commit(15)
    assert one.backoff_remaining() == 9
    assert one.send_wait() == 30
    assert other.send_wait() == 9


def test_backoff_starts_over_once_something_went_through(clock):
    shared = RateLimiter(stop=Stop(clock), clock=clock.monotonic)
    writes = WriteQuota(shared, 15, 30)
    for _ in range(5):
        writes.back_off(None)
    writes.wait()

    writes.reset()
    writes.back_off(None)

    assert writes.backoff_remaining() < 3


def test_writes_are_reserved_a_moment_before_they_may_go(writes, clock):
    writes.reserve(15)
    writes.commit(15)
    clock.sleep(29.9)

    assert writes.room == 15
    writes.reserve(15)
    assert writes.room == 0
    assert writes.send_wait() == 30
    assert writes.reserved_wait() == pytest.approx(0.1)
    clock.sleep(writes.reserved_wait())
    assert writes.reserved_wait() == 0


def test_released_writes_leave_their_room_to_others(writes):
    writes.reserve(15)
    writes.release(15)

    assert (writes.room, writes.send_wait(), writes.reserved_wait()) == (15, 0, 0)


def test_all_may_go_again_once_the_newest_answer_is_a_window_old(writes, clock):
    assert writes.full_quota_wait() == 0
    for _ in range(2):
        writes.reserve(5)
        writes.commit(5)
        clock.sleep(10)

    assert writes.full_quota_wait() == 20
    assert writes.send_wait() == 0


def refused_together(error):
    error.refused_together = 15
    return error


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (None, True),
        (AnswerLost("The connection broke"), True),
        (Throttled(429), True),
        (BadRequest(400), True),
        (refused_together(BadRequest(400)), False),
        (ServiceUnreachable("no connection"), False),
        (SignInError("AADSTS7000222", "The secret has expired."), False),
        (Stopped(), False),
    ],
)
def test_write_counts_unless_it_never_left_or_its_batch_was_refused(answer, counts):
    assert may_count(answer) is counts


def test_what_an_earlier_attempt_and_other_runs_sent_leaves_no_room_twice(writes, clock):
    writes.count_own([SentWrites(25, 5)])
    writes.count_others([SentWrites(10, 4), SentWrites(-1, 3)])

    assert writes.room == 3
    writes.reserve(3)
    assert writes.send_wait() == 5
    assert writes.full_quota_wait() == 31
    writes.count_others([])
    assert writes.room == 7


def test_own_writes_are_told_with_their_age_and_with_those_that_are_leaving(writes, clock):
    writes.count_own([SentWrites(25, 5)])
    writes.reserve(4)
    writes.commit(3)
    clock.sleep(2)

    assert [(one.age, one.count) for one in writes.own_writes()] == [(27, 5), (2, 3), (-1, 1)]
    clock.sleep(5)
    assert sum(one.count for one in writes.own_writes()) == 4
