"""
A webinar and its registrations (Graph v1.0).

Service pages: https://learn.microsoft.com/graph/api/resources/virtualeventwebinar and
https://learn.microsoft.com/graph/api/resources/virtualeventregistration.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_teams_registration.exceptions import AnswerLost, TeamsRegistrationError
from airflow_provider_teams_registration.graph.address import odata_string, segment
from airflow_provider_teams_registration.graph.batch import BatchRequest
from airflow_provider_teams_registration.graph.response import GraphResponse
from airflow_provider_teams_registration.graph.shapes import BatchRead, Reader, Unreadable
from airflow_provider_teams_registration.graph.webinar_bodies import (
    Question,
    RegistrationConfiguration,
    WebinarInfo,
    read_configuration,
    read_question,
    read_webinar,
)
from airflow_provider_teams_registration.graph.webinar_refusals import (
    READ_ALL,
    TO_CANCEL,
    TO_READ,
    TO_REGISTER,
    WebinarRefusals,
)
from airflow_provider_teams_registration.graph.webinar_registration_bodies import (
    Matches,
    WebinarRegistrant,
    WebinarRegistration,
    read_link,
    read_lookup,
    read_registration,
    read_registration_by_key,
    read_registration_of,
    read_registrations,
    registration_request,
)

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.session import GraphSession

T = TypeVar("T")

VERSION = "v1.0"
FILTER_VERSION = "beta"
"""Only the beta page names a filter for registrations."""


class Webinar:
    """
    One webinar.

    :param session: the authorized session.
    :param webinar_id: the webinar's ``id``.
    """

    def __init__(self, session: GraphSession, webinar_id: str) -> None:
        self._session = session
        self.webinar_id = webinar_id
        self._refusals = WebinarRefusals(session.settings, webinar_id)

    @property
    def signs_in_a_user(self) -> bool:
        """Whether the session belongs to a signed-in user. Such a session can register only this user."""
        return self._session.settings.signs_in_a_user

    def user_addresses(self) -> frozenset[str]:
        """
        Return the addresses of the signed-in user, in lower case, by the token or else by their registration.

        :return: none where neither says so, as it is for an application.
        :raises ServiceUnreachable: no answer came, or none of what was asked for, several times.
        """
        token = self._session.token()
        if token.user_names or token.user_id is None:
            return token.user_names
        quoted = odata_string(token.user_id)
        by_key = BatchRead(self._path(f"/registrations(userId={quoted})"), read_registration_by_key)
        by_filter = BatchRead(self._path(f"/registrations?$filter=userId%20eq%20{quoted}"), read_registrations)
        for version, read in ((VERSION, by_key), (FILTER_VERSION, by_filter)):
            (found,) = self._session.read_batch(version, [read])
            listed = () if isinstance(found, TeamsRegistrationError) else found
            emails = [one.email for one in listed if one.user_id == token.user_id and one.email]
            if emails:
                return frozenset(emails[:1])
        return frozenset()

    def info(self) -> WebinarInfo:
        """
        Return what the webinar is.

        Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-get

        :raises NotFound: there is no such webinar.
        :raises GraphError: Graph answered no.
        """
        with self._refusals.explained(TO_READ):
            return self._session.read(VERSION, self._path(), read_webinar)

    def read(self, reader: Reader[T], below: str) -> T:
        """
        Read something that belongs to the webinar, with a reader of the caller's.

        :param reader: makes what is asked for from the body.
        :param below: path below the webinar, percent-encoded, with its leading slash.
        :raises GraphError: Graph answered no.
        """
        with self._refusals.explained(TO_READ):
            return self._session.read(VERSION, self._path(below), reader)

    def publish(self) -> None:
        """
        Publish the webinar, which opens it for registrations.

        Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-publish

        :raises GraphError: Graph answered no.
        :raises AnswerLost: whether it is published now is not known; :meth:`info` tells.
        """
        with self._refusals.explained("a signed-in user: applications may not publish"):
            self._session.write("POST", VERSION, self._path("/publish"))

    def configuration(self) -> RegistrationConfiguration:
        """
        Return how the webinar takes registrations.

        Service page: https://learn.microsoft.com/graph/api/virtualeventwebinarregistrationconfiguration-get

        :raises GraphError: Graph answered no.
        """
        with self._refusals.explained(TO_READ):
            return self._session.read(VERSION, self._path("/registrationConfiguration"), read_configuration)

    def is_read_by_own_consent(self) -> bool:
        """Return whether the token shows that only the event's own consent lets the application read the webinar."""
        if self.signs_in_a_user:
            return False
        token = self._session.token()
        return token.is_readable and READ_ALL not in token.roles

    def questions(self) -> list[Question]:
        """
        Return the questions of the registration form.

        Service page: https://learn.microsoft.com/graph/api/virtualeventregistrationconfiguration-list-questions

        :raises GraphError: Graph answered no.
        """
        with self._refusals.explained(TO_READ):
            return list(self._session.pages(VERSION, self._path("/registrationConfiguration/questions"), read_question))

    def register(
        self, registrants: Sequence[WebinarRegistrant]
    ) -> list[WebinarRegistration | TeamsRegistrationError | None]:
        """
        Register up to 20 people, in one call that is sent once.

        Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-post-registrations

        :return: for each, in order, the registration, None where the service took it and said nothing (as it does for
            an application), or the error that stands for it.
        """
        path = self._path("/registrations")
        answers = self._session.batch(VERSION, [registration_request(path, one) for one in registrants])
        return [
            self._refusals.explain(self._registered(registrant, answer), TO_REGISTER)
            for registrant, answer in zip(registrants, answers, strict=True)
        ]

    def registrations(self) -> Iterator[WebinarRegistration]:
        """
        List all registrations, canceled ones included.

        Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-list-registrations

        :raises GraphError: Graph answered no.
        """
        with self._refusals.explained(TO_READ):
            yield from self._session.pages(VERSION, self._path("/registrations"), read_registration)

    def registrations_by_email(
        self,
        emails: Sequence[str],
        *,
        by_filter: bool,
        external_ids: Mapping[str, str] | None = None,
        off: Container[str] = (),
    ) -> list[WebinarRegistration | TeamsRegistrationError | None]:
        """
        Look people up, up to 20 in one call.

        :param emails: their addresses.
        :param by_filter: whether to filter the list (documented for beta) or to address each by the schema's alternate
            key (generated in the SDKs for v1.0, without a page of its own).
        :param external_ids: the caller's own ids of the people, by address, as far as they have any.
        :param off: ids of registrations that are certainly cancelled, although a read may still show them as active.
        :return: for each address, in order, the registration, None if there is none, or the error.
        """
        # As batch items the addresses stay out of the URL that HTTP libraries and proxies write into their logs.
        version = FILTER_VERSION if by_filter else VERSION
        answers = self._session.read_batch(version, [self._lookup(email, by_filter) for email in emails])
        return [
            read_lookup(email, self._refusals.explain(answer, TO_READ), (external_ids or {}).get(email), off)
            for email, answer in zip(emails, answers, strict=True)
        ]

    def registrations_by_id(
        self, registration_ids: Sequence[str]
    ) -> list[WebinarRegistration | TeamsRegistrationError]:
        """
        Read registrations, up to 20 in one call.

        Service page: https://learn.microsoft.com/graph/api/virtualeventregistration-get
        """
        reads = [
            BatchRead(self._path(f"/registrations/{segment('registration id', one)}"), read_registration_of(one))
            for one in registration_ids
        ]
        return [self._refusals.explain(answer, TO_READ) for answer in self._session.read_batch(VERSION, reads)]

    def join_web_urls(self, registration_ids: Sequence[str]) -> list[str | TeamsRegistrationError | None]:
        """
        Read the links of registrations, up to 20 in one call.

        Service page: https://learn.microsoft.com/graph/api/virtualeventregistration-list-sessions

        :return: for each, in order, the link, None where the service shows none yet, or the error that stands for it.
        """
        paths = [self._path(f"/registrations/{segment('registration id', one)}/sessions") for one in registration_ids]
        reads = [BatchRead(path, read_link) for path in paths]
        return [self._refusals.explain(answer, TO_READ) for answer in self._session.read_batch(VERSION, reads)]

    def cancel_all(
        self, registration_ids: Sequence[str], *, personal: Iterable[str | None] = ()
    ) -> list[TeamsRegistrationError | None]:
        """
        Cancel up to 20 registrations, in one call that is sent once.

        Service page: https://learn.microsoft.com/graph/api/virtualeventregistration-cancel

        :param registration_ids: the registrations.
        :param personal: what is known of these people, to be blanked in error texts.
        :return: for each, in order, None or the error that stands for it.
        """
        known = tuple(personal)
        paths = [self._path(f"/registrations/{segment('registration id', one)}/cancel") for one in registration_ids]
        answers = self._session.batch(VERSION, [BatchRequest("POST", path, sent=known) for path in paths])
        return [self._refusals.explain(_cancelled(answer), TO_CANCEL) for answer in answers]

    def _registered(
        self, registrant: WebinarRegistrant, answer: GraphResponse | TeamsRegistrationError
    ) -> WebinarRegistration | TeamsRegistrationError | None:
        if isinstance(answer, TeamsRegistrationError):
            return answer
        if answer.is_nothing:
            return None
        # Where an answer cannot be believed, whether somebody was registered is for the reads to tell.
        try:
            registration = read_registration(answer.body)
        except Unreadable:
            return AnswerLost("Graph answered a registration with something else than it")
        # To a signed-in user the service tells what it made of them, whatever address the row has.
        if self.signs_in_a_user or registration.is_of(registrant):
            return registration
        return AnswerLost("Graph answered with the registration of somebody else")

    def _lookup(self, email: str, by_filter: bool) -> BatchRead[Matches]:
        quoted = odata_string(email)
        if by_filter:
            path = self._path(f"/registrations?$filter=email%20eq%20{quoted}")
            return BatchRead(path, read_registrations, sent=(email, quoted))
        return BatchRead(self._path(f"/registrations(email={quoted})"), read_registration_by_key, sent=(email, quoted))

    def _path(self, below: str = "") -> str:
        return f"/solutions/virtualEvents/webinars/{segment('webinar_id', self.webinar_id)}{below}"


def _cancelled(answer: GraphResponse | TeamsRegistrationError) -> TeamsRegistrationError | None:
    """Return the error of a cancellation, or None if Graph confirmed it with an empty answer."""
    if isinstance(answer, TeamsRegistrationError):
        return answer
    return (
        None if answer.is_nothing else AnswerLost("Graph answered a cancellation with something that was not asked for")
    )
