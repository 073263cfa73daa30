"""
A webinar and its registrations (Graph v1.0).

Service pages: https://learn.microsoft.com/graph/api/resources/virtualeventwebinar and
https://learn.microsoft.com/graph/api/resources/virtualeventregistration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.graph.address import odata_string, segment
from airflow_provider_teams_registration.graph.batch import BatchRequest
from airflow_provider_teams_registration.graph.errors import Forbidden, TeamsRegistrationError
from airflow_provider_teams_registration.graph.webinar_bodies import (
    Question,
    RegistrationConfiguration,
    WebinarInfo,
    WebinarRegistrant,
    WebinarRegistration,
    read_link,
    read_lookup,
    read_question,
    read_registration,
    read_webinar,
    registration_request,
)

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.session import GraphSession

VERSION = "v1.0"
FILTER_VERSION = "beta"
"""Only the beta page names a filter for registrations."""
_POLICY = "an application access policy for the organizer"
_TO_READ = (
    f"VirtualEvent.Read.All with {_POLICY}, or the event's own VirtualEvent.Read.Chat (resource-specific consent)"
)
_TO_REGISTER = (
    f"VirtualEventRegistration-Anon.ReadWrite.All with {_POLICY}, or the event's own "
    "VirtualEventRegistration-Anon.ReadWrite.Chat (resource-specific consent)"
)
_TO_CANCEL = (
    "the event's own VirtualEventRegistration-Anon.ReadWrite.Chat (resource-specific consent), or where the service "
    "accepts it VirtualEventRegistration-Anon.ReadWrite.All"
)


class Webinar:
    """
    One webinar.

    :param session: the authorised session.
    :param webinar_id: the webinar's ``id``.
    """

    def __init__(self, session: GraphSession, webinar_id: str) -> None:
        self._session = session
        self.webinar_id = webinar_id

    @property
    def signs_in_a_user(self) -> bool:
        """Whether the session is a signed-in user's, who can register nobody but themself."""
        return self._session.settings.signs_in_a_user

    def user_addresses(self) -> frozenset[str]:
        """
        Return the addresses of the signed-in user, in lower case, by the token or else by their registration.

        :return: none where neither says so, as it is for an application.
        """
        token = self._session.token()
        if token.user_names or token.user_id is None:
            return token.user_names
        quoted = odata_string(token.user_id)
        for version, which in ((VERSION, f"(userId={quoted})"), (FILTER_VERSION, f"?$filter=userId%20eq%20{quoted}")):
            (answer,) = self._session.read_batch(version, [BatchRequest("GET", self._path(f"/registrations{which}"))])
            found = answer if isinstance(answer, dict) else {}
            for item in found.get("value") or [found]:
                if item.get("userId") == token.user_id and item.get("email"):
                    return frozenset({read_registration(item).email})
        return frozenset()

    def info(self) -> WebinarInfo:
        """
        Return what the webinar is.

        Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-get

        :raises NotFound: there is no such webinar.
        :raises GraphError: Graph answered no.
        """
        with self._explained(_TO_READ):
            return read_webinar(self._session.read(VERSION, self._path()))

    def publish(self) -> None:
        """
        Publish the webinar, which opens it for registrations.

        Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-publish

        :raises GraphError: Graph answered no.
        :raises AnswerLost: whether it is published now is not known; :meth:`info` tells.
        """
        with self._explained("a signed-in user: applications may not publish"):
            self._session.write("POST", VERSION, self._path("/publish"))

    def configuration(self) -> RegistrationConfiguration:
        """
        Return how the webinar takes registrations.

        Service page: https://learn.microsoft.com/graph/api/virtualeventwebinarregistrationconfiguration-get

        :raises GraphError: Graph answered no.
        """
        with self._explained(_TO_READ):
            body = self._session.read(VERSION, self._path("/registrationConfiguration"))
        capacity = body.get("capacity")
        return RegistrationConfiguration(
            capacity=capacity if isinstance(capacity, int) else None,
            is_waitlist_enabled=bool(body.get("isWaitlistEnabled")),
            is_manual_approval_enabled=bool(body.get("isManualApprovalEnabled")),
        )

    def questions(self) -> list[Question]:
        """
        Return the questions of the registration form.

        Service page: https://learn.microsoft.com/graph/api/virtualeventregistrationconfiguration-list-questions

        :raises GraphError: Graph answered no.
        """
        with self._explained(_TO_READ):
            items = self._session.pages(VERSION, self._path("/registrationConfiguration/questions"))
            return [read_question(item) for item in items]

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
            self._explain(answer, _TO_REGISTER)
            if isinstance(answer, TeamsRegistrationError)
            else (read_registration(answer) if isinstance(answer, dict) and answer.get("id") else None)
            for answer in answers
        ]

    def registrations(self) -> Iterator[WebinarRegistration]:
        """
        List all registrations, canceled ones included.

        Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-list-registrations

        :raises GraphError: Graph answered no.
        """
        with self._explained(_TO_READ):
            for item in self._session.pages(VERSION, self._path("/registrations")):
                yield read_registration(item)

    def registrations_by_email(
        self, emails: Sequence[str], *, by_filter: bool
    ) -> list[WebinarRegistration | TeamsRegistrationError | None]:
        """
        Look up to 20 people up, in one call.

        :param emails: their addresses.
        :param by_filter: whether to filter the list (documented for beta) or to address each by the schema's alternate
            key (generated in the SDKs for v1.0, without a page of its own).
        :return: for each, in order, the registration, None where there is none, or the error that stands for it.
        """
        # As batch items the addresses stay out of the URL that HTTP libraries and proxies write into their logs.
        version = FILTER_VERSION if by_filter else VERSION
        answers = self._session.read_batch(version, [self._lookup(email, by_filter) for email in emails])
        return [read_lookup(email, answer) for email, answer in zip(emails, answers, strict=True)]

    def registrations_by_id(
        self, registration_ids: Sequence[str]
    ) -> list[WebinarRegistration | TeamsRegistrationError | None]:
        """
        Read up to 20 registrations, in one call.

        Service page: https://learn.microsoft.com/graph/api/virtualeventregistration-get
        """
        paths = [self._path(f"/registrations/{segment('registration id', one)}") for one in registration_ids]
        answers = self._session.read_batch(VERSION, [BatchRequest("GET", path) for path in paths])
        return [
            answer if isinstance(answer, TeamsRegistrationError) else read_registration(answer) for answer in answers
        ]

    def join_web_urls(self, registration_ids: Sequence[str]) -> list[str | TeamsRegistrationError | None]:
        """
        Read the links of up to 20 registrations, in one call.

        Service page: https://learn.microsoft.com/graph/api/virtualeventregistration-list-sessions

        :return: for each, in order, the link, None where the service shows none yet, or the error that stands for it.
        """
        paths = [self._path(f"/registrations/{segment('registration id', one)}/sessions") for one in registration_ids]
        answers = self._session.read_batch(VERSION, [BatchRequest("GET", path) for path in paths])
        return [answer if isinstance(answer, TeamsRegistrationError) else read_link(answer) for answer in answers]

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
        return [
            self._explain(answer, _TO_CANCEL) if isinstance(answer, TeamsRegistrationError) else None
            for answer in answers
        ]

    def _lookup(self, email: str, by_filter: bool) -> BatchRequest:
        quoted = odata_string(email)
        if by_filter:
            path = self._path(f"/registrations?$filter=email%20eq%20{quoted}")
        else:
            path = self._path(f"/registrations(email={quoted})")
        return BatchRequest("GET", path, sent=(email, quoted))

    @contextmanager
    def _explained(self, needed: str) -> Iterator[None]:
        try:
            yield
        except Forbidden as error:
            raise self._explain(error, needed) from None

    def _explain(self, error: TeamsRegistrationError, needed: str) -> TeamsRegistrationError:
        if isinstance(error, Forbidden):
            who = "user needs VirtualEvent.ReadWrite" if self.signs_in_a_user else f"application needs {needed}"
            error.advise(f"Where this is about permissions: the {who}.")
        return error

    def _path(self, below: str = "") -> str:
        return f"/solutions/virtualEvents/webinars/{segment('webinar_id', self.webinar_id)}{below}"
