"""A webinar, as an event that the runner can use."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.core.event_facts import EventFacts
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.registration import ListedRegistration, RemoteRegistration
from airflow_provider_teams_registration.events.base import InvalidRow, Lookup, NotOnTheEvent, Registrant
from airflow_provider_teams_registration.events.webinar.cancellations import Cancellations
from airflow_provider_teams_registration.events.webinar.identity import ExternalId, UnknownId, parse_identity
from airflow_provider_teams_registration.events.webinar.lookup import LookupResult, RegistrationLookup, is_refusal
from airflow_provider_teams_registration.events.webinar.remembered import read_remembered
from airflow_provider_teams_registration.events.webinar.row import WebinarForm
from airflow_provider_teams_registration.events.webinar.status import outcome_of, remote_registration
from airflow_provider_teams_registration.exceptions import (
    Forbidden,
    GraphError,
    NotFound,
    SettingsError,
    TeamsRegistrationError,
)
from airflow_provider_teams_registration.graph.batch import MAX_BATCH
from airflow_provider_teams_registration.graph.email_address import mailbox
from airflow_provider_teams_registration.graph.join_url import shared_links
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.webinar_bodies import PUBLISHED, Question
from airflow_provider_teams_registration.graph.webinar_registration_bodies import WebinarRegistration
from airflow_provider_teams_registration.graph.write_quota import WriteQuota

if TYPE_CHECKING:
    from airflow_provider_teams_registration.events.reference import EventRef
    from airflow_provider_teams_registration.graph.session import GraphSession

log = logging.getLogger(__name__)

_NOT_THE_USER = (
    "the connection signs in a user, who can register only themselves. Give one row with the user's own address, "
    "or sign in as an application to register others"
)


class WebinarEvent:
    """
    A webinar. Rows need ``email``, ``first_name``, ``last_name``, a time zone, a language, and the form's answers.

    One e-mail address is one registrant. Graph shows a link at any time, so nobody is cancelled to get a new one.

    :param webinar: the webinar.
    :param rate_limiter: the quota for the session's writes.
    :param defaults: arguments for :class:`WebinarForm` beside the questions.
    """

    links_are_readable = True
    removes_by_key = False
    own_link = None

    def __init__(self, webinar: Webinar, rate_limiter: WriteQuota, **defaults: str | None) -> None:
        self._webinar = webinar
        self.id = webinar.webinar_id
        self.rate_limiter = rate_limiter
        self.facts: EventFacts | None = None
        self._defaults = defaults
        self._form = WebinarForm()
        self._user: frozenset[str] = frozenset()
        self._addresses: frozenset[str] = frozenset()
        self._ids: dict[str, str] = {}
        self._cancellations = Cancellations(webinar)
        self._lookup = RegistrationLookup(webinar, off=self._cancellations.confirmed)

    @property
    def batch_size(self) -> int:
        """The number of writes that the quota allows now, up to the size of a batch."""
        return min(self.rate_limiter.room, MAX_BATCH)

    def prepare(self) -> None:
        """
        Read the form, and refuse a webinar that accepts no registrations.

        :raises SettingsError: the webinar is a draft or cancelled, or a default for rows does not exist.
        """
        try:
            WebinarForm(questions=(), is_delegated=False, **self._defaults).check_defaults()
        except InvalidRow as error:
            raise SettingsError(f"The operator's {error}.") from None
        info = self._webinar.info()
        status = info.status
        if status != PUBLISHED:
            raise SettingsError(
                f"The webinar is {status or 'without a status'}, not published. It accepts no registrations. Publish "
                "it in Teams, or with PublishWebinarOperator. RegistrationOpenSensor waits until it is published."
            )
        self.facts = info.facts(self.id)
        log.info("The webinar is %s.", self.facts.sentence())
        self._form = WebinarForm(
            questions=self._questions(), is_delegated=self._webinar.signs_in_a_user, **self._defaults
        )
        if self._webinar.signs_in_a_user:
            self._addresses = self._user = frozenset(map(mailbox, self._webinar.user_addresses()))

    def _questions(self) -> Sequence[Question]:
        try:
            return self._webinar.questions()
        except Forbidden:
            if not self._webinar.is_read_by_own_consent():
                raise
            # No permission of an event covers its form.
            log.warning(
                "Graph does not let the connection read the webinar's form, which takes VirtualEvent.Read.All. People "
                "are registered without answers. Graph may refuse them if the form has required questions."
            )
            return ()

    def remembered(self) -> Any:
        """Return the form's questions. None for a signed-in user: :meth:`prepare` must read that user again."""
        if self._webinar.signs_in_a_user:
            return None
        return {"questions": [asdict(question) for question in self._form.questions]}

    def restore(self, remembered: Any) -> bool:
        """Take the form's questions."""
        questions = read_remembered(remembered)
        if questions is None or self._webinar.signs_in_a_user:
            return False
        self._form = WebinarForm(questions=questions, is_delegated=False, **self._defaults)
        return True

    def close(self) -> None:
        """Do nothing: this event reads nothing in the background."""

    def read(self, position: int, row: Mapping[str, Any]) -> Registrant:
        """Read a row as the form accepts it. A signed-in user can register only themselves."""
        registrant = self._form.read(row)
        if self._webinar.signs_in_a_user:
            if self._user and registrant.email not in self._user:
                raise InvalidRow(_NOT_THE_USER)
            # Graph does not tell who the user is. Accept one person, and nobody else.
            self._user = frozenset({registrant.email})
        if registrant.registration_id is not None:
            self._lookup.recognise(registrant.email, registrant.registration_id)
        return Registrant(position, row, registrant.email, registrant)

    def enroll(self, registrants: Sequence[Registrant]) -> list[RemoteRegistration | TeamsRegistrationError]:
        """Register people in one call."""
        answers = self._webinar.register([registrant.body for registrant in registrants])
        return [self._taken(registrant, answer) for registrant, answer in zip(registrants, answers, strict=True)]

    def cancel(self, registrants: Sequence[Registrant]) -> list[TeamsRegistrationError | None]:
        """Cancel, in one call, the registration of each person that :meth:`find_to_cancel` found last."""
        answers = self._cancellations.cancel(registrants)
        for key, answer in answers.items():
            if answer is None:
                self._ids.pop(key, None)
        not_found = NotOnTheEvent("not registered for the webinar")
        return [answers.get(registrant.key, not_found) for registrant in registrants]

    def present(self, registrants: Sequence[Registrant]) -> Lookup:
        """Look up who is registered already."""
        if not self._webinar.signs_in_a_user:
            return self.find(registrants)
        # A user need not be found before the first send: Graph answers with the registration that they have.
        try:
            return Lookup(self.find(registrants).registrations)
        except SettingsError:
            return Lookup({})

    def find(self, registrants: Sequence[Registrant], control: Registrant | None = None) -> Lookup:
        """Read registrations, and then the links of people who may join."""
        result = self._search([registrant.key for registrant in registrants], control.key if control else None)
        active = {key: one for key, one in result.found.items() if one.is_active}
        self._ids.update((key, one.id) for key, one in active.items())
        joining = {key: one.id for key, one in active.items() if outcome_of(one.status) is Outcome.ENROLLED}
        links = self._links(joining)
        registrations = {key: [remote_registration(one, links.get(key))] for key, one in active.items()}
        return Lookup(registrations, result.inconclusive)

    def find_to_cancel(self, registrants: Sequence[Registrant]) -> Lookup:
        """Read registrations, but no links."""
        result = self._search([registrant.key for registrant in registrants])
        return self._cancellations.lookup(result)

    def listed(self, keys: Collection[str]) -> Mapping[str, Sequence[ListedRegistration]]:
        """Read the whole list, and take each person's registrations by their address."""
        found: dict[str, list[ListedRegistration]] = {}
        for one in self._webinar.registrations():
            if one.email in keys:
                found.setdefault(one.email, []).append(ListedRegistration(one.id, is_active=one.is_active))
        return found

    def resolve_keys(self, rows: Sequence[Mapping[str, Any]]) -> list[list[str] | InvalidRow]:
        """Return the rows' e-mail addresses; those of rows that hold only our id are looked up in one list."""
        named = [parse_identity(row) for row in rows]
        wanted = {one.id for one in named if isinstance(one, ExternalId)}
        there: dict[str, list[WebinarRegistration]] = {}
        refusal: GraphError | None = None
        try:
            for one in self._webinar.registrations() if wanted else ():
                if one.registration_id in wanted:
                    there.setdefault(one.registration_id, []).append(one)
        except GraphError as error:
            if not is_refusal(error):
                raise
            refusal = error
        return [
            self._keys_of(one, there.get(one.id, ()), refusal)
            if isinstance(one, ExternalId)
            else (one if isinstance(one, InvalidRow) else [one])
            for one in named
        ]

    def _keys_of(
        self, one: ExternalId, there: Sequence[WebinarRegistration], refusal: GraphError | None
    ) -> list[str] | InvalidRow:
        """Return the keys of all registrations with an id of the caller, under any address."""
        active = [registration for registration in there if registration.is_active]
        for registration in reversed(active):
            # The id finds the registration, even if its address does not.
            self._ids[_key_of(registration)] = registration.id
        if active:
            return list(dict.fromkeys(_key_of(registration) for registration in active))
        if one.address is not None:
            return [one.address]
        return [_key_of(there[0])] if there else UnknownId(refusal)

    def _taken(
        self, registrant: Registrant, answer: WebinarRegistration | TeamsRegistrationError | None
    ) -> RemoteRegistration | TeamsRegistrationError:
        if isinstance(answer, TeamsRegistrationError):
            return answer
        if answer is None:
            return RemoteRegistration(Outcome.UNKNOWN)
        # Graph registers the signed-in user under any address. The row may be about another person.
        is_user_known = not self._webinar.signs_in_a_user or bool(self._addresses)
        if not is_user_known and answer.email not in ("", registrant.key):
            return SettingsError(
                "The connection signs in a user, who can register only themselves. Graph registered the user, "
                "and not the person of this row. Sign in as an application to register others."
            )
        self._ids[registrant.key] = answer.id
        return remote_registration(answer, None)

    def _search(self, keys: Sequence[str], control: str | None = None) -> LookupResult:
        """Find registrations by id if it is known, and otherwise by the lookup strategies that Graph accepts."""
        found: dict[str, WebinarRegistration] = {}
        late: dict[str, TeamsRegistrationError] = {}
        known = {key: self._ids[key] for key in keys if key in self._ids}
        for key, answer in zip(known, self._webinar.registrations_by_id(list(known.values())), strict=True):
            if isinstance(answer, NotFound) and self._webinar.signs_in_a_user:
                late[key] = answer
            elif isinstance(answer, WebinarRegistration) and answer.is_active:
                found[key] = answer
            elif isinstance(answer, WebinarRegistration):
                # The person may have a newer registration, with another id.
                del self._ids[key]
        unknown = [key for key in keys if key not in found and key not in late]
        result = self._lookup.find(unknown, control) if unknown else LookupResult({})
        return LookupResult({**found, **result.found}, {**late, **result.inconclusive})

    def _links(self, ids: Mapping[str, str]) -> dict[str, str | TeamsRegistrationError | None]:
        links = dict(zip(ids, self._webinar.join_web_urls(list(ids.values())), strict=True))
        shared = shared_links({ids[key]: link for key, link in links.items() if isinstance(link, str)})
        return {key: None if link in shared else link for key, link in links.items()}


def make_event(session: GraphSession, reference: EventRef, **form: str | None) -> WebinarEvent:
    """
    Return the webinar of a reference.

    :param session: the authorized session. Its settings hold the quota for writes.
    :param reference: the webinar.
    :param form: defaults for columns that a row leaves out: ``preferred_timezone``, ``preferred_language``,
        ``referrer``.
    """
    settings = session.settings
    quota = WriteQuota(session.rate_limiter, settings.write_limit, settings.write_window, key=settings.quota_key)
    return WebinarEvent(Webinar(session, reference.id), quota, **form)


def _key_of(registration: WebinarRegistration) -> str:
    """Return the address of a registration, or its id if it has no address."""
    return registration.email or registration.id
