"""Runs over the real emulator."""

import json
from collections import Counter
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.core.report import Report
from airflow_provider_teams_registration.emulator.server import Emulator
from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
from airflow_provider_teams_registration.events.webinar.event import WebinarEvent
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.write_quota import WriteQuota
from tests.emulated.enrollment.cancelling import CANCELS, ENROLLS, FORM, OnMeeting, OnWebinar
from tests.emulated.enrollment.meeting_people import enroll_on

RUN = TaskRun("dag", "run 1", "enroll")
QUICK = {"read_pause": 0.05, "longest_read_pause": 0.1, "ledger_pause": 0.05}
"""Reads of the event and the ledger follow one another quickly."""


@pytest.fixture
def enroll_all(event, open_ledger) -> Callable[..., Report]:
    """Enrolls people with the ledger, and sees to it that the counts add up to the input."""

    def run(rows, *, as_run=RUN, ledger=None, on=None, stop=None, **options) -> Report:
        report = enroll(
            on or event,
            rows,
            ledger=ledger or open_ledger(as_run),
            stop=stop,
            options=SendingOptions(**{**QUICK, **options}),
        )
        summary = report.summary()
        assert sum(summary["outcomes"].values()) + summary["repeated"] == summary["rows"] == len(rows)
        assert [one.position for one in report.enrollments] == sorted({one.position for one in report.enrollments})
        return report

    return run


@pytest.fixture
def enrolls(emulator: Emulator) -> Callable[[], list[str]]:
    """Lists whom the service was asked to enroll since the journal was cleared, as often as it was."""
    return lambda: [entry.registrant_id for entry in emulator.store.journal if _is_about(entry, "POST")]


@pytest.fixture
def cancels(emulator: Emulator) -> Callable[[], list[str]]:
    """Lists whom the service was asked to take off since the journal was cleared, as often as it was."""
    return lambda: [
        entry.registrant_id
        for entry in emulator.store.journal
        if _is_about(entry, "DELETE") or entry.path.endswith("/cancel")
    ]


@pytest.fixture
def open_event(emulator, graph_session):
    """Opens the webinar that has room for everybody, or another one."""

    def make(webinar_id=None, session=graph_session, limit=1000, window=0.001, **defaults):
        webinar = Webinar(session, webinar_id or emulator.webinar_id)
        return WebinarEvent(webinar, WriteQuota(session.rate_limiter, limit, window), **{**FORM, **defaults})

    return make


@pytest.fixture
def register_all(enroll_all, open_event):
    """Enrolls people in the webinar, each run with an event of its own."""

    def run(rows, *, on=None, settle_after=1.0, **options):
        return enroll_all(rows, on=on or open_event(), settle_after=settle_after, **options)

    return run


@pytest.fixture
def live(emulator):
    """Everybody's one registration that is not cancelled; fails where somebody has two."""

    def read(webinar_id=None):
        records = emulator.store.webinars.registrations(webinar_id or emulator.webinar_id)
        active = [one for one in records if not one.is_canceled]
        found = {one.email.lower(): one for one in active}
        assert len(found) == len(active)
        return found

    return read


@pytest.fixture
def live_links(live):
    """Everybody's real link to the webinar."""

    def read():
        found = {email: one.join_web_url for email, one in live().items()}
        for email, one in live().items():
            (context,) = parse_qs(urlsplit(found[email]).query)["context"]
            assert json.loads(context)["prid"] == one.id
        return found

    return read


@pytest.fixture
def put_on(emulator):
    """Registers somebody without us."""
    return lambda email, **given: emulator.store.webinars.register(emulator.webinar_id, email, **given)


@pytest.fixture
def sent(emulator):
    """Lists whom the service was asked to register since the journal was cleared."""
    return lambda: [
        entry.registrant_id
        for entry in emulator.store.journal
        if entry.method == "POST" and entry.path.endswith("/registrations")
    ]


@pytest.fixture
def prepared(open_event):
    """The webinar with its form read, ready to be looked at."""
    event = open_event()
    event.prepare()
    return event


@pytest.fixture
def find(prepared):
    """Finds people on the event."""
    return lambda rows: prepared.find([prepared.read(1, row) for row in rows]).registrations


@pytest.fixture
def looks(emulator):
    """Counts the ways of reading registrations since the journal was cleared."""

    def count():
        kinds = Counter()
        for entry in emulator.store.journal:
            path = entry.path.lower()
            if entry.method != "GET" or "/registrations" not in path:
                continue
            if "email=" in path:
                kinds["key"] += 1
            elif path.endswith("/sessions"):
                kinds["sessions"] += 1
            elif path.endswith("/registrations"):
                # The journal has no queries; filters are items of batches, and lists are not.
                kinds["filter" if entry.batch else "list"] += 1
            else:
                kinds["id"] += 1
        return kinds

    return count


@pytest.fixture
def on_webinar(emulator, graph_session):
    return OnWebinar(emulator, graph_session)


@pytest.fixture(params=[OnMeeting, OnWebinar])
def stage(request, emulator, graph_session):
    """Either kind of event, with five people on it."""
    stage = request.param(emulator, graph_session)
    for number in range(5):
        stage.put_on(number)
    return stage


@pytest.fixture
def cancel_all(open_ledger):
    """Takes people off, and sees to it that the counts add up to the input."""

    def run(stage, rows, *, as_run=CANCELS, **options):
        report = cancel(stage.event(), rows, ledger=open_ledger(as_run), **options)
        summary = report.summary()
        assert sum(summary["outcomes"].values()) + summary["repeated"] == summary["rows"] == len(rows)
        assert [one.position for one in report.enrollments] == sorted({one.position for one in report.enrollments})
        return report

    return run


@pytest.fixture
def enroll_in(open_ledger):
    def run(stage, rows, as_run=ENROLLS):
        return enroll(stage.event(), rows, ledger=open_ledger(as_run), options=SendingOptions(settle_after=1))

    return run


@pytest.fixture
def run(meeting, graph_session):
    """Enrolls people in the meeting that is open to everyone."""

    def run(rows, **options):
        return enroll_on(meeting, graph_session, rows, **options)

    return run


@pytest.fixture
def enrolled(emulator):
    """Lists the ids of those who are really on the meeting, as often as they are on it."""
    return lambda: [record.id for record in emulator.store.enrolled(emulator.meeting_id)]


def _is_about(entry, method):
    return entry.registrant_id is not None and entry.method == method
