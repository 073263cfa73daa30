"""A signed-in user can register only themselves."""

import pytest

from tests.emulated.enrollment.webinar_people import NEXT_RUN, RUN, links, people


def test_signed_in_user_registers_themselves(register_all, open_event, emulator, delegated_session, live):
    rows = [{"email": "organizer@emulator.example"}]

    report = register_all(rows, on=open_event(session=delegated_session))

    assert report.counts == {"enrolled": 1}
    (made,) = live().values()
    assert made.user_id == emulator.organizer_id
    assert links(report) == {"organizer@emulator.example": made.join_web_url}
    assert register_all(rows, on=open_event(session=delegated_session)).counts == {"enrolled": 1}


@pytest.mark.parametrize("lag", [0, 0.3])
def test_signed_in_user_needs_no_look_up(lag, register_all, open_event, emulator, delegated_session, looks, live_links):
    emulator.set_switches(registration_key=False, visibility_lag=lag)
    rows = [{"email": "organizer@emulator.example"}]

    report = register_all(rows, on=open_event(session=delegated_session))

    assert report.counts == {"enrolled": 1}
    assert links(report) == live_links()
    assert looks()["id"] >= 1


@pytest.mark.parametrize("duplicate", ["same", "new_link", "second_record"])
def test_signed_in_user_who_is_on_it_and_cannot_be_looked_up_gets_the_link_that_the_service_answers_with(
    duplicate, register_all, open_event, emulator, delegated_session, put_on
):
    emulator.set_switches(duplicate=duplicate, registration_key=False)
    put_on("organizer@emulator.example", user_id=emulator.organizer_id)

    report = register_all([{"email": "organizer@emulator.example"}], on=open_event(session=delegated_session))

    assert report.counts == {"enrolled": 1}
    *_, last = emulator.store.webinars.registrations(emulator.webinar_id)
    assert links(report) == {"organizer@emulator.example": last.join_web_url}


USER = {"email": "Organizer@emulator.example"}


@pytest.fixture
def register_as_user(register_all, open_event, delegated_session):
    """Enrolls people with a signed-in user."""
    return lambda rows, **options: register_all(rows, on=open_event(session=delegated_session), **options)


@pytest.mark.parametrize("rows", [[USER, *people(3)], [*people(3), USER], [USER, USER, *people(3)], people(3)])
def test_signed_in_user_registers_nobody_else(register_as_user, emulator, sent, live, rows):
    emulator.set_switches(duplicate="second_record")

    report = register_as_user(rows)

    assert {row["email"]: row["outcome"] for row in report.rows()} == {
        row["email"]: "enrolled" if row == USER else "invalid" for row in rows
    }
    assert "can register only themselves" in report.error_summary()
    assert len(sent()) == len(live()) == (USER in rows)


@pytest.fixture
def nameless(emulator):
    """The user's token does not say what they sign in with."""
    emulator.set_switches(token_names_user=False, duplicate="second_record")


@pytest.mark.usefixtures("nameless")
def test_user_whose_token_says_no_name_takes_one_address(register_as_user, sent, live):
    report = register_as_user([USER, USER, *people(3)])

    assert report.counts == {"enrolled": 1, "invalid": 3}
    assert len(sent()) == len(live()) == 1


@pytest.mark.usefixtures("nameless")
@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"registration_key": False, "delegated_may_list_registrations": True},
        {"registration_key": False, "delegated_may_list_registrations": True, "registration_filter": "ignored"},
    ],
    ids=["by key", "by filter", "among all"],
)
def test_user_who_was_registered_for_somebody_else_is_not_registered_again(
    register_as_user, emulator, sent, live, put_on, switches
):
    emulator.set_switches(**switches)
    put_on("person9@example.org")

    first = register_as_user(people(3))
    again = [register_as_user(people(3), as_run=run) for run in (RUN, NEXT_RUN)]

    assert first.counts == {"rejected": 1, "invalid": 2}
    assert "Graph registered the user, and not the person of this row" in first.error_summary()
    assert [report.counts for report in again] == [{"invalid": 3}] * 2
    assert len(sent()) == 1
    assert set(live()) == {"person9@example.org", "organizer@emulator.example"}


def test_user_may_be_registered_under_another_address_than_they_sign_in_with(register_as_user, monkeypatch, live_links):
    monkeypatch.setattr(
        "airflow_provider_teams_registration.emulator.entra.entra.ORGANIZER_EMAIL", "signs.in@emulator.example"
    )

    report = register_as_user([{"email": "signs.in@emulator.example"}])

    assert report.counts == {"enrolled": 1}
    assert list(links(report).values()) == list(live_links().values())
