"""The quota of writes for webinars while batches are cut: never exceeded, and no place in it lost."""

import threading

import pytest

from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.memory import MemoryLedger

pytestmark = pytest.mark.usefixtures("no_backoff")
WHOLE = "POST $batch"
LIMIT, WINDOW = 15, 1.5


def people(number):
    return [
        {"id": f"crm {one}", "email": f"person{one}@example.org", "first_name": "Ada", "last_name": f"Example {one}"}
        for one in range(number)
    ]


class LedgerThatIsFull(MemoryLedger):
    """A ledger that can be read and takes nothing."""

    def write(self, entries):
        raise LedgerFailure("The ledger is full.")


@pytest.fixture
def limited(emulator, open_event):
    """A webinar whose service counts writes, in a window that is shorter than Graph's."""
    emulator.set_switches(write_limit=LIMIT, write_window=WINDOW)
    return open_event(limit=LIMIT, window=WINDOW)


@pytest.fixture
def took(emulator):
    """Returns the seconds between the first and the last write that the service let through."""

    def read():
        writes = [one for one in emulator.store.journal if one.method != "GET" and one.batch is not None]
        assert 429 not in {one.status for one in writes}
        at = [one.at for one in writes if one.effect is not None]
        return max(at) - min(at)

    return read


@pytest.mark.parametrize("status", [400, 403])
def test_batches_that_are_cut_use_the_whole_quota_and_never_more(status, limited, register_all, emulator, live, took):
    everybody = people(46)
    for culprit in everybody[4], everybody[20]:
        emulator.add_fault(WHOLE, registrant_id=culprit["email"], status=status, times=0)

    report = register_all(everybody, on=limited)

    assert report.counts == {"enrolled": 44, "rejected": 2}
    assert len(live()) == 44
    # The service takes 15, 15 and 14: two windows lie between the first and the last.
    assert took() < 3 * WINDOW
    assert limited.rate_limiter.full_quota_wait() <= WINDOW


def test_batches_of_cancellations_that_are_cut_use_the_whole_quota(
    limited, open_event, open_ledger, emulator, put_on, live, took
):
    everybody = people(31)
    for row in everybody:
        put_on(row["email"])
    emulator.add_fault(WHOLE, registrant_id=everybody[4]["email"], status=400, times=0)

    report = cancel(limited, everybody, ledger=open_ledger())

    assert report.counts == {"cancelled": 30, "rejected": 1}
    assert list(live()) == [everybody[4]["email"]]
    assert took() < 2 * WINDOW


def test_refusal_of_everybody_leaves_the_quota_as_it_was(limited, register_all, emulator):
    emulator.add_fault(WHOLE, status=403, times=0)

    report = register_all(people(40), on=limited)

    assert report.counts == {"rejected": 40}
    assert limited.rate_limiter.room == LIMIT
    assert limited.rate_limiter.full_quota_wait() == 0


def test_people_whom_the_ledger_does_not_take_leave_the_quota_as_it_was(limited, register_all):
    with pytest.raises(LedgerFailure):
        register_all(people(20), on=limited, ledger=LedgerThatIsFull())

    assert limited.rate_limiter.room == LIMIT


def test_cancellations_that_are_stopped_before_they_leave_are_given_back(
    limited, graph_session, open_ledger, emulator, put_on, live
):
    everybody = people(20)
    for row in everybody:
        put_on(row["email"])
    stopping = threading.Timer(WINDOW / 2, graph_session.stop.set)
    stopping.start()

    report = cancel(limited, everybody, ledger=open_ledger(), stop=graph_session.stop)
    stopping.join()

    assert report.counts["not_sent"] == len(live()) == 5
    # Only those who were taken off count.
    assert limited.rate_limiter.reserved_wait() == 0


def test_answers_that_are_lost_count(limited, register_all, emulator, took):
    emulator.add_fault(WHOLE, nth=2, when="after", drop=True)

    report = register_all(people(31), on=limited, settle_after=0.2)

    assert report.counts == {"enrolled": 31}
    assert took() >= 2 * WINDOW
