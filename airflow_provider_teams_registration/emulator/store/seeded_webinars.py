"""The webinars that exist from the start."""

from __future__ import annotations

from airflow_provider_teams_registration.emulator.store.seeded import (
    APPROVAL_WEBINAR_ID,
    BOOLEAN_QUESTION_ID,
    CANCELED_WEBINAR_ID,
    DRAFT_WEBINAR_ID,
    JOB_TITLE_QUESTION_ID,
    MULTI_CHOICE_QUESTION_ID,
    QUESTIONS_WEBINAR_ID,
    SINGLE_CHOICE_QUESTION_ID,
    SMALL_WEBINAR_ID,
    TEXT_QUESTION_ID,
    WAITLIST_WEBINAR_ID,
    WEBINAR_ID,
)
from airflow_provider_teams_registration.emulator.store.webinar import CANCELED, DRAFT, Question, Webinar

_QUESTIONS = (
    Question(TEXT_QUESTION_ID, "Who told you of us?", is_required=True),
    Question(
        SINGLE_CHOICE_QUESTION_ID,
        "Which track?",
        "singleChoice",
        is_required=True,
        answer_choices=("Data", "Operations"),
    ),
    Question(MULTI_CHOICE_QUESTION_ID, "Which days?", "multiChoice", answer_choices=("Monday", "Tuesday", "Friday")),
    Question(BOOLEAN_QUESTION_ID, "May we write to you?", "boolean"),
    Question(JOB_TITLE_QUESTION_ID, "Job title", label="jobTitle"),
)

SEEDED_WEBINARS = (
    Webinar(WEBINAR_ID, "Open webinar", capacity=1000),
    Webinar(QUESTIONS_WEBINAR_ID, "Webinar with questions", capacity=1000, questions=_QUESTIONS),
    Webinar(WAITLIST_WEBINAR_ID, "Small webinar with a waitlist", capacity=3, is_waitlist_enabled=True),
    Webinar(SMALL_WEBINAR_ID, "Small webinar", capacity=3),
    Webinar(APPROVAL_WEBINAR_ID, "Webinar with approval", capacity=1000, is_manual_approval_enabled=True),
    Webinar(DRAFT_WEBINAR_ID, "Draft webinar", DRAFT, capacity=1000),
    Webinar(CANCELED_WEBINAR_ID, "Canceled webinar", CANCELED, capacity=1000),
)
