"""A webinar as the engine sees it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.enrollment.event import InvalidRow, Registrant, Standing
from airflow_provider_teams_registration.enrollment.outcome import Outcome
from airflow_provider_teams_registration.enrollment.webinar_row import WebinarForm, normalized_email
from airflow_provider_teams_registration.graph.batch import MAX_BATCH
from airflow_provider_teams_registration.graph.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    SettingsError,
    TeamsRegistrationError,
)
from airflow_provider_teams_registration.graph.webinar import PUBLISHED, Webinar, WebinarRegistration

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.allowance import PacedWrites

log = logging.getLogger(__name__)

_OUTCOMES = {
    "registered": Outcome.ENROLLED,
    "waitlisted": Outcome.WAITLISTED,
    "pendingApproval": Outcome.PENDING_APPROVAL,
    "rejectedByOrganizer": Outcome.DECLINED,
    "canceled": Outcome.CANCELLED,
}
_MANY = 20


def outcome_of(status: str) -> Outcome:
    """Return what a registration's status means; ``unknown`` for words of the future."""
    return _OUTCOMES.get(status, Outcome.UNKNOWN)


class WebinarEvent:
    """
    A webinar. Rows need ``email``, ``first_name``, ``last_name``, a time zone, a language, and the form's answers.

    One e-mail address is one registrant. A link can be read again at any time, so nobody is ever cancelled for one.

    :param webinar: the webinar.
    :param pace: the pace of its session's writes.
    :param defaults: arguments for :class:`WebinarForm` beside the questions.
    """

    hands_links_out_once = False

    def __init__(self, webinar: Webinar, pace: PacedWrites, **defaults: str | None) -> None:
        self._webinar = webinar
        self.id = webinar.webinar_id
        self.pace = pace
        self._defaults = defaults
        self._form = WebinarForm()
        self._ids: dict[str, str] = {}
        self._trusted: set[str] = set()
        self._rungs: list[Callable[[Sequence[str]], dict[str, WebinarRegistration]]] = [
            self._look_up_by_key,
            self._look_up_by_filter,
            self._look_up_in_list,
        ]

    @property
    def batch_size(self) -> int:
        """As many as the allowance has room for."""
        return max(min(self.pace.room, MAX_BATCH), 1)

    def prepare(self) -> None:
        """
        Read the form, and refuse a webinar that takes nobody.

        :raises SettingsError: it is a draft or cancelled.
        """
        status = self._webinar.info().status
        if status != PUBLISHED:
            raise SettingsError(
                f"The webinar is {status or 'of no status'}, not published: it takes no registrations. Publish it in "
                "Teams, or with PublishWebinarOperator; RegistrationOpenSensor waits for that."
            )
        self._form = WebinarForm(
            questions=self._webinar.questions(), is_delegated=self._webinar.signs_in_a_user, **self._defaults
        )

    def read(self, position: int, row: Mapping[str, Any]) -> Registrant:
        """Read a row as the form takes it."""
        registrant = self._form.read(row)
        return Registrant(position, row, registrant.email, registrant)

    def enroll(self, registrants: Sequence[Registrant]) -> list[Standing | TeamsRegistrationError]:
        """Register people in one call."""
        answers = self._webinar.register([registrant.body for registrant in registrants])
        return [self._taken(registrant, answer) for registrant, answer in zip(registrants, answers, strict=True)]

    def cancel(self, registrants: Sequence[Registrant]) -> list[TeamsRegistrationError | None]:
        """Take people off; who is not registered counts as off."""
        found = self._look_up([registrant.key for registrant in registrants])
        ids = {key: one.id for key, one in found.items() if outcome_of(one.status) is not Outcome.CANCELLED}
        self.pace.begin(len(ids))
        try:
            answers = dict(zip(ids, self._webinar.cancel_all(list(ids.values())), strict=True)) if ids else {}
        finally:
            self.pace.end(len(ids))
        return [
            None if isinstance(answer := answers.get(registrant.key), NotFound) else answer
            for registrant in registrants
        ]

    def present(self, registrants: Sequence[Registrant]) -> dict[str, list[Standing]]:
        """Return those who are registered already."""
        return self.find(registrants)

    def find(self, registrants: Sequence[Registrant]) -> dict[str, list[Standing]]:
        """Read registrations, then the links of those who may join."""
        found = self._look_up([registrant.key for registrant in registrants])
        active = {key: one for key, one in found.items() if outcome_of(one.status) is not Outcome.CANCELLED}
        self._ids.update((key, one.id) for key, one in active.items())
        joining = {key: one.id for key, one in active.items() if outcome_of(one.status) is Outcome.ENROLLED}
        links = self._links(joining)
        return {key: [_standing(one, links.get(key))] for key, one in active.items()}

    def keys_to_cancel(self, rows: Sequence[Mapping[str, Any]]) -> list[str | InvalidRow]:
        """Return the rows' e-mail addresses; those of rows that hold only our id are looked up in one list."""
        keys = [_key_to_cancel(row) for row in rows]
        by_id: dict[str, WebinarRegistration] = {}
        if None in keys:
            for one in self._webinar.registrations():
                if one.registration_id and _counts_more(one, by_id.get(one.registration_id)):
                    by_id[one.registration_id] = one
        return [
            key if key is not None else _email_of(str(row["id"]), by_id) for row, key in zip(rows, keys, strict=True)
        ]

    def _taken(
        self, registrant: Registrant, answer: WebinarRegistration | TeamsRegistrationError | None
    ) -> Standing | TeamsRegistrationError:
        if isinstance(answer, TeamsRegistrationError):
            return answer
        if answer is None:
            return Standing(Outcome.UNKNOWN)
        self._ids[registrant.key] = answer.id
        return _standing(answer, None)

    def _look_up(self, keys: Sequence[str]) -> dict[str, WebinarRegistration]:
        """Find registrations: by id where it is known, else down the ladder of what this service accepts."""
        found: dict[str, WebinarRegistration] = {}
        known = {key: self._ids[key] for key in keys if key in self._ids}
        for some in _slices(list(known)):
            answers = self._webinar.registrations_by_id([known[key] for key in some])
            for key, answer in zip(some, answers, strict=True):
                if isinstance(answer, WebinarRegistration):
                    found[key] = answer
        unknown = [key for key in keys if key not in found]
        return found | self._climb(unknown) if unknown else found

    def _climb(self, keys: Sequence[str]) -> dict[str, WebinarRegistration]:
        # One list is cheaper than many look-ups; where it is refused, they still are the way.
        rungs = [*self._rungs[-1:], *self._rungs[:-1]] if len(keys) > _MANY else list(self._rungs)
        found: dict[str, WebinarRegistration] = {}
        refusal: TeamsRegistrationError | None = None
        for rung in rungs:
            missing = [key for key in keys if key not in found]
            try:
                some = rung(missing)
            except (BadRequest, Forbidden, NotFound) as error:
                refusal = refusal or error
                self._rungs.remove(rung)
                log.info("This service does not let us %s.", rung.__name__.strip("_").replace("_", " "))
                continue
            found.update(some)
            # A way that never found anybody may be one that this service does not know.
            if some or rung == self._look_up_in_list:
                self._trusted.add(rung.__name__)
            if len(found) == len(keys) or rung.__name__ in self._trusted:
                return found
        if self._rungs:
            return found
        raise SettingsError(
            "The webinar's registrations cannot be read, so nobody could be given a link or be kept from being "
            "registered twice. The application needs VirtualEvent.Read.All with an application access policy for the "
            f"organizer, or the event's own VirtualEvent.Read.Chat. {refusal or ''}"
        )

    def _look_up_by_key(self, keys: Sequence[str]) -> dict[str, WebinarRegistration]:
        return self._look_up_by(keys, by_filter=False)

    def _look_up_by_filter(self, keys: Sequence[str]) -> dict[str, WebinarRegistration]:
        return self._look_up_by(keys, by_filter=True)

    def _look_up_by(self, keys: Sequence[str], *, by_filter: bool) -> dict[str, WebinarRegistration]:
        found: dict[str, WebinarRegistration] = {}
        for some in _slices(keys):
            for key, answer in zip(some, self._webinar.registrations_by_email(some, by_filter=by_filter), strict=True):
                if isinstance(answer, WebinarRegistration):
                    found[key] = answer
                elif isinstance(answer, TeamsRegistrationError) and not isinstance(answer, NotFound):
                    raise answer
        return found

    def _look_up_in_list(self, keys: Sequence[str]) -> dict[str, WebinarRegistration]:
        wanted, found = set(keys), dict[str, WebinarRegistration]()
        for registration in self._webinar.registrations():
            if registration.email in wanted and _counts_more(registration, found.get(registration.email)):
                found[registration.email] = registration
        return found

    def _links(self, ids: Mapping[str, str]) -> dict[str, str | TeamsRegistrationError | None]:
        links: dict[str, str | TeamsRegistrationError | None] = {}
        for some in _slices(list(ids)):
            links.update(zip(some, self._webinar.join_web_urls([ids[key] for key in some]), strict=True))
        return links


def _key_to_cancel(row: Mapping[str, Any]) -> str | InvalidRow | None:
    email = row.get("email") or (row.get("id") if "@" in str(row.get("id")) else None)
    if email is None:
        return None if row.get("id") not in (None, "") else InvalidRow("neither id nor email given")
    try:
        return normalized_email(str(email))
    except InvalidRow as error:
        return error


def _email_of(registration_id: str, registrations: Mapping[str, WebinarRegistration]) -> str | InvalidRow:
    found = registrations.get(registration_id)
    return found.email if found else InvalidRow("nobody registered with this id; name the e-mail address instead")


def _counts_more(one: WebinarRegistration, other: WebinarRegistration | None) -> bool:
    return other is None or outcome_of(other.status) is Outcome.CANCELLED


def _standing(registration: WebinarRegistration, link: str | TeamsRegistrationError | None) -> Standing:
    outcome = outcome_of(registration.status)
    if isinstance(link, Forbidden):
        said = (
            "registered, but the link may not be read: the application needs VirtualEvent.Read.Chat (resource-specific "
            "consent), or VirtualEvent.Read.All where the service accepts it"
        )
        return Standing(outcome, registration_id=registration.id, error=said, is_link_withheld=True)
    if outcome is Outcome.UNKNOWN:
        said = "the service gives the registration a status that this version does not know"
        return Standing(outcome, registration_id=registration.id, error=said)
    return Standing(
        outcome,
        link if isinstance(link, str) else None,
        registration.id,
        is_link_due=outcome is Outcome.ENROLLED and not isinstance(link, str),
    )


def _slices(keys: Iterable[str]) -> Iterator[list[str]]:
    listed = list(keys)
    for start in range(0, len(listed), MAX_BATCH):
        yield listed[start : start + MAX_BATCH]
