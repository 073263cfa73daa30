"""Runs with every kind of trouble show nothing personal, by Airflow's command line, with everything logged."""

from __future__ import annotations

import re

import pytest

from tests.airflow.operators.leaks import LINK, event, shown_of
from tests.run_dag import enroll_text as enroll

pytestmark = pytest.mark.airflow


def test_a_run_with_every_kind_of_trouble_shows_nothing_personal(run_at_debug, emulator):
    echo = "canary-3 canary@example.org https://teams.microsoft.com/l/meetup-join/x"
    emulator.add_fault("POST registrants", registrant_id="canary-3", status=400, code="BadRequest", message=echo)
    emulator.add_fault("POST registrants", registrant_id="canary-4", when="after", status=503, message=echo)
    emulator.add_fault("POST $batch", nth=2, drop=True)
    emulator.add_fault("POST $batch", nth=3, status=429, retry_after="0.1")
    rows = "[{'id': f'can' + f'ary-{number}', 'email': 'can' + 'ary@example.org'} for number in range(80)]"
    said = run_at_debug(
        "trouble",
        f"""
        @task(show_return_value_in_logs=False)
        def attendees():
            return {rows} + [{{"id": "", "outcome": "can" + "ary"}}, ["can" + "ary"], {{"id": 1.5}}]

        {enroll(emulator, "attendees()", settle_after=1)}
        """,
    )
    assert re.search("(Permanent|Transient)Failure", said)
    assert "registrants" in said
    assert shown_of(said) == []


def test_a_webinars_run_with_every_kind_of_trouble_shows_nothing_personal(run_at_debug, emulator):
    def echo(number):
        return f"canary-{number} (canary o'{number}), canary.o'{number}@example.org, told by a canary: {LINK}"

    emulator.add_fault("POST registrations", registrant_id="canary-3", status=400, code="BadRequest", message=echo(3))
    emulator.add_fault("POST registrations", registrant_id="canary-4", when="after", status=503, message=echo(4))
    emulator.add_fault("POST registrations", registrant_id="canary-5", status=403, code="Forbidden", message=echo(5))
    emulator.add_fault("POST $batch", nth=2, drop=True)
    emulator.add_fault("POST $batch", nth=3, status=429, retry_after="0.1")
    emulator.add_fault("GET registrations", nth=2, status=503, message="canary.o'1@example.org")
    emulator.add_fault("GET registrations(email=*", status=400, message=echo(6))
    emulator.add_fault("GET sessions", nth=2, status=403, code="Forbidden", message="canary.o'2@example.org")
    said = run_at_debug(
        "webinar_trouble",
        f"""
        @task(show_return_value_in_logs=False)
        def attendees():
            canary = "can" + "ary"
            rows = [
                {{
                    "id": f"{{canary}}-{{number}}",
                    "email": f"{{canary}}.o'{{number}}@example.org",
                    "first_name": canary,
                    "last_name": f"o'{{number}}",
                    "Who told you of us?": f"a {{canary}}",
                    "Which track?": "Data",
                }}
                for number in range(80)
            ]
            return rows + [
                {{**rows[0], "email": canary}},
                {{**rows[0], "email": f"{{canary}}@example.org", "Which track?": canary}},
                {{**rows[0], "email": f"{{canary}}@example.org", "preferred_timezone": canary}},
                {{**rows[0], "email": f"{{canary}}@example.org", "answers": {{canary: canary}}}},
                {{**rows[0], "outcome": canary}},
                [canary],
            ]

        {
            enroll(
                emulator,
                "attendees()",
                **event(emulator, "webinar") | {"webinar_id": emulator.questions_webinar_id},
                settle_after=1,
                max_parallel_requests=1,
            )
        }
        """,
    )
    assert re.search("(Permanent|Transient)Failure", said)
    assert "1 rejected (row 4): 400 BadRequest: … (… …), …, told by …: …" in said
    assert "1 rejected (row 6): 403 Forbidden: … (… …), …, told by …: …" in said
    assert "is none of its choices" in said
    assert shown_of(said) == []


def test_what_a_template_rendered_to_is_not_shown_where_it_cannot_be_read(run_at_debug, emulator):
    said = run_at_debug("unreadable", enroll(emulator, "\"[{{ 'can' ~ 'ary' }}]\""))
    assert "registrants is neither" in said
    assert shown_of(said) == []
