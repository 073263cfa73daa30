"""What the status of a registration and a link that may not be read make of a row."""

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.state import OnMissingJoinUrl
from tests.emulated.enrollment.webinar_people import NEXT_RUN, RUN, emails, links, people


def test_withheld_links_leave_the_enrollment_good_and_name_the_permission(register_all, emulator, live):
    emulator.set_switches(application_may_read_registration_sessions=False)
    for run in (RUN, RUN, NEXT_RUN):
        report = register_all(people(3), as_run=run)

        assert report.counts == {"enrolled": 3}
        assert (report.links_missing, report.links_withheld, report.refused) == (0, 3, 0)
        assert report.summary_line().endswith("3 enrolled (3 of them without a link)")
        ((reason, count),) = report.summary()["reasons"].items()
        assert ("VirtualEvent.Read.Chat" in reason, count) == (True, 3)
        for one in report.enrollments:
            assert (one.join_web_url, one.is_link_missing) == (None, False)
            assert "VirtualEvent.Read.Chat" in one.error
    assert len(live()) == 3
    emulator.set_switches(application_may_read_registration_sessions=True)
    for run, outcome in ((NEXT_RUN, "enrolled"), (NEXT_RUN, "enrolled"), (RUN, "already_enrolled")):
        report = register_all(people(3), as_run=run)

        assert (report.counts, report.links_withheld) == ({outcome: 3}, 0)
        assert all(links(report).values())


def test_link_that_was_handed_out_and_not_kept_is_new_to_nobody_once_it_can_be_read_again(
    register_all, open_ledger, emulator
):
    def register(run=RUN):
        return register_all(people(2), as_run=run, ledger=open_ledger(run, store_join_urls=False))

    assert all(links(register()).values())
    emulator.set_switches(application_may_read_registration_sessions=False)
    assert register().links_withheld == 2

    emulator.set_switches(application_may_read_registration_sessions=True)

    report = register(NEXT_RUN)
    assert report.counts == {"already_enrolled": 2}
    assert all(links(report).values())


@pytest.mark.parametrize("policy", list(OnMissingJoinUrl))
@pytest.mark.parametrize("is_there", [False, True], ids=["ours", "somebody else's"])
def test_link_that_stays_refused_is_reported_with_the_reason_as_the_policy_says(
    policy, is_there, register_all, emulator, put_on, live
):
    emulator.add_fault("GET sessions", times=0, status=404, code="NotFound", message="No such session.")
    if is_there:
        put_on("person0@example.org")

    for run in (RUN, NEXT_RUN):
        report = register_all(people(1), as_run=run, settle_after=0.2, on_missing_join_url=policy)

        assert report.links_missing == (policy is not OnMissingJoinUrl.IGNORE)
        (one,) = report.rows()
        assert one["outcome"] in ("enrolled", "already_enrolled")
        assert one["error"] == "registered, but the link cannot be read: 404 NotFound: No such session."
    assert len(live()) == 1
    emulator.clear_faults()
    assert all(links(register_all(people(1))).values())


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("registered", "enrolled"),
        ("waitlisted", "waitlisted"),
        ("pendingApproval", "pending_approval"),
        ("rejectedByOrganizer", "declined"),
        ("beamedUp", "unknown"),
    ],
)
def test_status_is_an_outcome_and_only_registered_people_have_a_link(
    status, outcome, register_all, emulator, live, sent
):
    emulator.set_switches(new_registration_status=status)
    for run in (RUN, RUN, NEXT_RUN):
        report = register_all(people(2), as_run=run, settle_after=0.2)

        if (outcome, run) == ("enrolled", NEXT_RUN):
            assert report.counts == {"already_enrolled": 2}
        else:
            assert report.counts == {outcome: 2}
        assert all(bool(row["join_web_url"]) == (status == "registered") for row in report.rows())
        assert report.links_missing == 0
        assert (report.rows()[0]["error"] is None) == (status != "beamedUp")
    assert len(live()) == 2
    assert len(sent()) == 2


def test_people_registered_by_others_keep_their_registration_and_their_link_is_read(
    register_all, put_on, live_links, sent
):
    for row, status in zip(people(3), ["registered", "waitlisted", "pendingApproval"], strict=True):
        put_on(row["email"], status=status)

    report = register_all(people(4))

    assert report.counts == {"already_enrolled": 1, "waitlisted": 1, "pending_approval": 1, "enrolled": 1}
    assert sent() == ["crm 3"]
    assert all(row["join_web_url"] for row in (report.rows()[0], report.rows()[3]))


def test_person_cancelled_earlier_is_registered_anew(register_all, put_on, emulator, live_links):
    gone = put_on("person0@example.org", status="canceled")

    report = register_all(people(2))

    assert report.counts == {"enrolled": 2}
    assert links(report) == live_links()
    assert gone in emulator.store.webinars.registrations(emulator.webinar_id)


def test_person_who_is_cancelled_as_soon_as_they_are_registered_stays_unknown_and_is_not_sent_again(
    register_all, emulator, sent
):
    emulator.set_switches(new_registration_status="canceled")
    assert register_all(people(2), settle_after=0.2).counts == {"unknown": 2}
    assert len(sent()) == 2
    emulator.set_switches(new_registration_status="")

    # The cancelled record may be an older one, and theirs not show yet.
    assert register_all(people(2), as_run=NEXT_RUN, settle_after=0.2).counts == {"unknown": 2}
    assert len(sent()) == 2


def test_person_on_the_waitlist_whom_the_organizer_cancelled_is_registered_anew(
    register_all, emulator, live, live_links
):
    emulator.set_switches(new_registration_status="waitlisted")
    assert register_all(people(1)).counts == {"waitlisted": 1}
    (waiting,) = live().values()
    emulator.store.webinars.cancel(emulator.webinar_id, waiting.id)
    emulator.set_switches(new_registration_status="")

    report = register_all(people(1), as_run=NEXT_RUN)

    assert report.counts == {"enrolled": 1}
    assert links(report) == live_links()


def test_those_promoted_from_the_waitlist_are_enrolled_with_a_link_by_the_next_run(
    register_all, open_event, emulator, live, sent
):
    webinar_id, rows = emulator.waitlist_webinar_id, people(5)
    first = register_all(rows, on=open_event(webinar_id), max_parallel_requests=1)
    assert first.counts == {"enrolled": 3, "waitlisted": 2}
    promoted = live(webinar_id)[emails(rows)[4]]
    emulator.store.webinars.promote(webinar_id, promoted.id)

    report = register_all(rows, on=open_event(webinar_id), as_run=NEXT_RUN)

    assert report.counts == {"already_enrolled": 3, "waitlisted": 1, "enrolled": 1}
    assert report.enrollments[4].outcome is Outcome.ENROLLED
    assert links(report)[emails(rows)[4]] == live(webinar_id)[emails(rows)[4]].join_web_url
    assert report.enrollments[3].join_web_url is None
    assert len(sent()) == 5


def test_approval_decides(register_all, open_event, emulator, live):
    webinar_id, webinars = emulator.approval_webinar_id, emulator.store.webinars
    assert register_all(people(3), on=open_event(webinar_id)).counts == {"pending_approval": 3}
    webinars.approve(webinar_id, live(webinar_id)["person0@example.org"].id)
    webinars.reject(webinar_id, live(webinar_id)["person1@example.org"].id)

    report = register_all(people(3), on=open_event(webinar_id), as_run=NEXT_RUN)

    assert [one.outcome.value for one in report.enrollments] == ["enrolled", "declined", "pending_approval"]
    assert [bool(one.join_web_url) for one in report.enrollments] == [True, False, False]
