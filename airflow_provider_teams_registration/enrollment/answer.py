"""What the answer to a send means for the person who was sent."""

from __future__ import annotations

from typing import TypeGuard

from airflow_provider_teams_registration.enrollment.event import Standing
from airflow_provider_teams_registration.enrollment.ledger import utc_now
from airflow_provider_teams_registration.enrollment.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.enrollment.person import Person
from airflow_provider_teams_registration.enrollment.settling import Step
from airflow_provider_teams_registration.graph.errors import (
    AnswerLost,
    BadRequest,
    Conflict,
    ServiceUnreachable,
    SignInError,
    TeamsRegistrationError,
    Throttled,
)

Answer = Standing | TeamsRegistrationError

TAKEN_OFF = Standing(Outcome.CANCELLED)
"""Answers for somebody whose old records are gone, and who can be put on now."""
NOT_SENT = Standing(Outcome.REJECTED)
"""Answers for somebody who was lined up and not sent: the ledger is to be asked once more whether they still may be."""
MAX_TRIES = 8


def read_answer(person: Person, answer: Answer, *, hands_links_out_once: bool) -> Enrollment | Step:
    """
    Return what an answer means.

    :param person: who was sent; what the answer tells is noted there.
    :param answer: the service's, or one of the two above.
    :param hands_links_out_once: whether a link can be had only in the answer to the enrollment.
    :return: the outcome; ``SEND`` for somebody who is to be sent again, ``LOOK_AGAIN`` where reading has to tell.
    """
    if answer is TAKEN_OFF or answer is NOT_SENT:
        return Step.SEND
    if was_not_executed(answer):
        person.times_refused += 1
        return Step.SEND if person.times_refused < MAX_TRIES else person.given_up(answer)
    person.refusal = None
    if isinstance(answer, Standing):
        if answer.outcome is not Outcome.UNKNOWN and not answer.is_link_due:
            return person.enrolled(answer)
        person.is_accepted = True
    elif isinstance(answer, BadRequest | Conflict):
        # It may mean that they are on the event already, whether by a send of ours or by somebody else.
        person.refusal = answer
        if not hands_links_out_once:
            # It is on the event that they show, or that it was about something else.
            person.sent_at = person.sent_at or utc_now()
        return Step.LOOK_AGAIN
    elif not isinstance(answer, AnswerLost):
        return person.given_up(answer)
    person.is_ours, person.sent_at = True, utc_now()
    return Step.LOOK_AGAIN


def was_not_executed(answer: Answer) -> TypeGuard[TeamsRegistrationError]:
    """Whether an answer stands for somebody who was certainly not put on, and may be sent again."""
    is_sign_in_in_trouble = isinstance(answer, SignInError) and answer.transient
    return is_sign_in_in_trouble or isinstance(answer, Throttled | ServiceUnreachable)
