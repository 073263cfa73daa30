"""The write quota in the ledger: what other attempts and runs sent counts, and a deferral loses none of it."""

from concurrent.futures import ThreadPoolExecutor

from airflow_provider_teams_registration.core.record import RecordState, TaskRun
from airflow_provider_teams_registration.graph.rate_limit import RateLimiter
from airflow_provider_teams_registration.graph.write_quota import WriteQuota
from airflow_provider_teams_registration.ledger.shared_quota import QuotaTaken
from tests.emulated.enrollment.conftest import RUN
from tests.services.ledger.kinds import OTHER_RUN, begun, entry, every_database, every_lasting_kind

LIMIT, WINDOW = 15, 1.5


def quota(key="app", limit=LIMIT, window=30.0):
    return WriteQuota(RateLimiter(), limit, window, key=key)


def send(ledger, own, names):
    """Claim people as the runner does, and answer their writes."""
    own.reserve(len(names))
    ledger.write([entry(name, state=RecordState.CLAIMED) for name in names])
    own.commit(len(names))


def sharing(place, run, own=None, event="event 1"):
    own, ledger = own or quota(), begun(place, run, event)
    ledger.share_quota(own)
    return ledger, own


@every_lasting_kind
def test_next_attempt_knows_what_this_one_sent(place):
    ledger, own = sharing(place, RUN)
    send(ledger, own, ["ada", "bob"])
    own.reserve(3)
    # The worker is killed before this batch is answered.
    ledger.write([entry(f"person {number}", state=RecordState.CLAIMED) for number in range(3)])

    _, again = sharing(place, RUN)

    assert again.room == LIMIT - 5
    assert 29 < again.full_quota_wait() <= 31


@every_database
def test_run_of_the_same_app_knows_what_others_sent_and_one_of_another_app_does_not(place):
    ledger, own = sharing(place, RUN)
    send(ledger, own, ["ada", "bob"])

    assert sharing(place, OTHER_RUN, event="event 2")[1].room == LIMIT - 2
    assert sharing(place, OTHER_RUN, quota("another app"))[1].room == LIMIT


@every_database
def test_two_runs_take_the_last_room_in_the_quota_once(place):
    runs = [sharing(place, TaskRun("dag", f"run {number}", "enroll")) for number in range(2)]

    def take(number):
        ledger, own = runs[number]
        own.reserve(LIMIT)
        try:
            ledger.write([entry(f"{number} {one}", state=RecordState.CLAIMED) for one in range(LIMIT)])
        except QuotaTaken:
            own.release(LIMIT)
            return own.room
        return None

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(take, range(2)))

    assert sorted(found, key=str) == [0, None]


@every_database
def test_quota_that_nobody_can_read_is_taken_for_unused(place):
    import sqlalchemy as sa

    sharing(place, RUN)
    with place.engine().begin() as connection:
        connection.execute(sa.text(f"UPDATE {place.table}_apps SET writes = '[broken'"))

    ledger, own = sharing(place, OTHER_RUN)
    send(ledger, own, ["ada"])

    assert sharing(place, RUN)[1].room == LIMIT - 1


@every_lasting_kind
def test_note_of_a_deferral_is_kept_for_the_next_attempt(place):
    ledger = begun(place)
    ledger.save_deferral({"attempt": 1, "looked_up": ["x"]})
    assert begun(place).load_deferral() == {"attempt": 1, "looked_up": ["x"]}
    assert begun(place, OTHER_RUN).load_deferral() is None
