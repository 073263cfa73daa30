"""Signed-in users show neither their tokens nor other people."""

from __future__ import annotations

import pytest

from tests.airflow.operators.leaks import event, shown_of
from tests.run_dag import enroll_text as enroll

pytestmark = pytest.mark.airflow


def test_the_organizers_sign_in_shows_no_token(run_at_debug, emulator):
    emulator.set_switches(rotate_refresh_tokens="on")
    said = run_at_debug("organizer", enroll(emulator, "['can' 'ary']", organizer_id=None), auth="refresh_token")
    assert "1 enrolled" in said
    assert shown_of(said) == []


def test_a_user_who_cannot_register_others_shows_neither_them_nor_a_token(run_at_debug, emulator):
    organizer = "[{'email': 'organizer@' 'emulator.example'}, {'email': 'can' 'ary@example.org'}]"
    webinar = event(emulator, "webinar")
    said = run_at_debug("user", enroll(emulator, organizer, **webinar), auth="refresh_token")
    assert "1 enrolled, 1 invalid" in said
    assert "can register only themselves" in said
    assert shown_of(said) == []
