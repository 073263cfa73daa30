"""
The bodies of requests to the admin API, in the types that its OpenAPI description shows.

Nothing is converted, because Graph and the page could not show a value of another type.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from airflow_provider_teams_registration.emulator.store.webinar import Question

Id = Annotated[str, Field(min_length=1)]
Audience = Literal["everyone", "organization"]
_MOST_SEATS = 2**31 - 1


class _Body(BaseModel):
    """A JSON object with names such as ``isRequired``."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


class MeetingBody(_Body):
    """A meeting of the seeded organizer."""

    subject: str = "Untitled"
    id: Id | None = None
    allowed_registrant: Audience | None = None


class RegistrantBody(_Body):
    """A person who enrolls in a meeting."""

    meeting_id: str
    id: Id
    tenant_id: str | None = None
    user_id: str | None = None


class QuestionBody(_Body):
    """A question of a registration form."""

    id: Id
    display_name: str
    answer_input_type: Literal["text", "multilineText", "singleChoice", "multiChoice", "boolean"] = "text"
    is_required: bool = False
    answer_choices: list[str] = []
    label: str | None = None


class WebinarBody(_Body):
    """A webinar and its registration form. An omitted property has the default of :class:`.Webinar`."""

    id: Id | None = None
    display_name: str = "Untitled"
    status: Literal["draft", "published", "canceled"] = "published"
    organizer_id: Id | None = None
    description: dict[str, Any] | None = None
    start: dict[str, Any] | None = None
    end: dict[str, Any] | None = None
    audience: Audience = "everyone"
    co_organizers: list[dict[str, Any]] = []
    settings: dict[str, Any] | None = None
    capacity: Annotated[int, Field(ge=0, le=_MOST_SEATS)] | None = None
    is_waitlist_enabled: bool = False
    is_manual_approval_enabled: bool = False
    questions: list[QuestionBody] = []

    def properties(self) -> dict[str, Any]:
        """Return the arguments of :meth:`.WebinarStore.add` except the id and the name."""
        given = self.model_dump(exclude={"id", "display_name", "questions"}, exclude_unset=True, exclude_none=True)
        questions = (one.model_dump() for one in self.questions)
        asked = tuple(Question(**{**one, "answer_choices": tuple(one["answer_choices"])}) for one in questions)
        return {**given, "questions": asked}


class AnswerBody(_Body):
    """An answer to a question, in Graph's form."""

    question_id: str
    display_name: str | None = None
    value: str | None = None
    boolean_value: bool | None = None
    multi_choice_values: list[str] | None = None


class RegistrationBody(_Body):
    """A person who registers for a webinar. If the status is empty, capacity and approval decide."""

    email: Id
    first_name: str = ""
    last_name: str = ""
    user_id: str | None = None
    status: str = ""
    join_web_url: str | None = None
    preferred_timezone: str | None = None
    preferred_language: str | None = None
    answers: list[AnswerBody] = []
    referrer: str | None = None
    external_registration_id: str | None = None
    canceled_on: str | None = None

    def properties(self) -> dict[str, Any]:
        """Return the arguments of :meth:`.WebinarStore.register` except the webinar."""
        answers = tuple(one.model_dump(by_alias=True, exclude_unset=True) for one in self.answers)
        return {**self.model_dump(exclude={"answers"}, exclude_unset=True), "answers": answers}
