"""
An online meeting with external registration (Graph beta).

Service pages: https://learn.microsoft.com/graph/api/resources/externalmeetingregistration?view=graph-rest-beta and
https://learn.microsoft.com/graph/api/resources/externalmeetingregistrant?view=graph-rest-beta. Microsoft announced the
end of this API for 2024-12-12 and points to webinars.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_teams_registration.exceptions import (
    AccessPolicyMissing,
    AnswerLost,
    Forbidden,
    Gone,
    NotFound,
    SettingsError,
    TeamsRegistrationError,
    Unauthorized,
    names_access_policy,
)
from airflow_provider_teams_registration.graph.address import segment
from airflow_provider_teams_registration.graph.arguments import name_arguments
from airflow_provider_teams_registration.graph.batch import BatchRequest
from airflow_provider_teams_registration.graph.join_url import is_join_url, shared_links
from airflow_provider_teams_registration.graph.meeting_info import MeetingInfo, read_meeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import (
    AUDIENCES,
    REGISTRATION_TYPE,
    ExternalMeetingRegistrant,
    ExternalMeetingRegistration,
    enrollment_request,
    read_meeting_registrant,
    read_meeting_registration,
)
from airflow_provider_teams_registration.graph.response import GraphResponse
from airflow_provider_teams_registration.graph.shapes import Reader, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_teams_registration.graph.session import GraphSession

T = TypeVar("T")

VERSION = "beta"


class OnlineMeeting:
    """
    One online meeting: its registration and its registrants.

    :param session: the authorized session.
    :param meeting_id: the meeting's ``id`` (not its join URL or its number).
    :param organizer_id: object id of the organizer, for ``/users/{id}``; None is the signed-in user, ``/me``.
    """

    def __init__(self, session: GraphSession, meeting_id: str, organizer_id: str | None = None) -> None:
        self._session = session
        self.meeting_id = meeting_id
        self.organizer_id = organizer_id

    def join_web_url(self, *, once: bool = False) -> str | None:
        """
        Return the meeting's own link, for its organizer.

        Service page: https://learn.microsoft.com/graph/api/onlinemeeting-get

        :param once: whether to send the request once only, for a caller that can do without the link. Default False.
        :raises GraphError: Graph refused.
        """
        return self.info(once=once).join_web_url

    def info(self, *, once: bool = False) -> MeetingInfo:
        """
        Return what the meeting is.

        Service page: https://learn.microsoft.com/graph/api/onlinemeeting-get

        :param once: whether it is asked for one time only, for callers that can do without. Default False.
        :raises GraphError: Graph answered no.
        """
        with self._explained():
            return self._session.read(VERSION, self._path(), read_meeting, once=once)

    def read(self, reader: Reader[T], below: str) -> T:
        """
        Read something that belongs to the meeting, with a reader of the caller's (Graph v1.0).

        :param reader: makes what is asked for from the body.
        :param below: path below the meeting, percent-encoded, with its leading slash.
        :raises GraphError: Graph answered no.
        """
        with self._explained():
            return self._session.read("v1.0", self._path(below), reader)

    def open_registration(self, allowed_registrant: str = "everyone") -> ExternalMeetingRegistration:
        """
        Open the meeting for registrants. A meeting has one registration.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistration-post?view=graph-rest-beta

        :param allowed_registrant: ``everyone``, or ``organization`` for people of the organizer's organization.
        :raises SettingsError: ``allowed_registrant`` is another word.
        :raises GraphError: Graph refused.
        :raises AnswerLost: the response was lost. Call :meth:`registration` to find out whether it is open now.
        """
        if allowed_registrant not in AUDIENCES:
            raise SettingsError(
                f"allowed_registrant is {allowed_registrant!r}; it must be one of {', '.join(AUDIENCES)}."
            )
        body = {"@odata.type": REGISTRATION_TYPE, "allowedRegistrant": allowed_registrant}
        with self._explained():
            answer = self._session.write("POST", VERSION, self._path("/registration"), body)
        if answer is None:
            raise _nothing()
        try:
            return read_meeting_registration(answer)
        except Unreadable:
            raise AnswerLost("Graph answered with something other than the registration") from None

    def registration(self) -> ExternalMeetingRegistration:
        """
        Return the meeting's registration.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistration-get?view=graph-rest-beta

        :raises NotFound: there is no such meeting, or its registration is not open.
        :raises Gone: Graph answered several times with an empty body, as a retired API may do.
        :raises GraphError: Graph refused.
        :raises ServiceUnreachable: several times no answer came, or an answer about something else.
        """
        try:
            with self._explained():
                return self._session.read(VERSION, self._path("/registration"), read_meeting_registration)
        except Unreadable as error:
            raise (_nothing() if error.is_empty else error) from None

    def close_registration(self) -> None:
        """
        Close the meeting for registrants. Microsoft does not document what happens to people who are enrolled.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistration-delete?view=graph-rest-beta

        :raises NotFound: the registration is not open.
        :raises GraphError: Graph refused.
        :raises AnswerLost: the response was lost. Call :meth:`registration` to find out whether it is closed now.
        """
        with self._explained():
            self._session.write("DELETE", VERSION, self._path("/registration"))

    def enroll(
        self, registrants: Sequence[ExternalMeetingRegistrant]
    ) -> list[ExternalMeetingRegistrant | TeamsRegistrationError]:
        """
        Enroll up to 20 people in one call, which is not repeated.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistrant-post?view=graph-rest-beta

        :param registrants: the people. Their ``join_web_url`` is not sent.
        :return: for each person, in order, the registrant with the link, or an error: :class:`AnswerLost` if it is not
            known whether they are on the list or if the answer is about somebody else, :class:`Throttled` if Graph did
            not process the request, and so on.
        """
        path = self._path("/registration/registrants")
        answers = self._session.batch(VERSION, [enrollment_request(path, registrant) for registrant in registrants])
        enrolled = [
            self._read_enrollment(registrant, answer) for registrant, answer in zip(registrants, answers, strict=True)
        ]
        links = {place: one.join_web_url for place, one in enumerate(enrolled) if not isinstance(one, Exception)}
        shared = shared_links(links)
        return [
            AnswerLost("Graph answered several people with one joinWebUrl") if links.get(place) in shared else one
            for place, one in enumerate(enrolled)
        ]

    def registrants(self) -> Iterator[ExternalMeetingRegistrant]:
        """
        List the people on the meeting. Graph returns no links here.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistrant-list?view=graph-rest-beta

        :raises NotFound: there is no such meeting, or its registration is not open.
        :raises GraphError: Graph refused.
        """
        with self._explained():
            yield from self._session.pages(VERSION, self._path("/registration/registrants"), read_meeting_registrant)

    def cancel(self, registrant_id: str) -> None:
        """
        Remove one person from the meeting.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistrant-delete?view=graph-rest-beta

        :param registrant_id: the caller's own id, as it was enrolled.
        :raises SettingsError: the id cannot be part of an address.
        :raises NotFound: the person is not on the list, or the registration is not open.
        :raises GraphError: Graph refused.
        :raises AnswerLost: the response was lost. Call :meth:`registrants` to find out whether the person is listed.
        """

        def send() -> None:
            answer = self.cancel_all([registrant_id])[0]
            if isinstance(answer, Unauthorized) and not answer.refused_together:
                # Graph did not execute the request, and the session has a new token now.
                answer = self.cancel_all([registrant_id])[0]
            if isinstance(answer, TeamsRegistrationError):
                raise answer

        with self._explained(registrant_id=registrant_id):
            self._session.rate_limiter.retry_throttled(send)

    def cancel_all(self, registrant_ids: Sequence[str]) -> list[TeamsRegistrationError | None]:
        """
        Remove up to 20 people from the meeting in one call, which is not repeated.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistrant-delete?view=graph-rest-beta

        :param registrant_ids: the callers' own ids, as they were enrolled.
        :return: for each person, in order, None if Graph removed them, or an error.
        :raises SettingsError: an id cannot be part of an address.
        """
        # HTTP libraries and proxies log addresses. As batch items the ids are not part of one.
        answers = self._session.batch(VERSION, [self._cancellation(registrant_id) for registrant_id in registrant_ids])
        errors = [_not_removed(answer) for answer in answers]
        return [
            None if error is None else self._explain(error, registrant_id=registrant_id)
            for registrant_id, error in zip(registrant_ids, errors, strict=True)
        ]

    def _cancellation(self, registrant_id: str) -> BatchRequest:
        encoded = segment("The registrant's id", registrant_id)
        path = self._path(f"/registration/registrants/{encoded}")
        return BatchRequest("DELETE", path, sent=(registrant_id, encoded))

    def _path(self, below: str = "") -> str:
        if self.organizer_id is not None:
            caller = f"/users/{segment('organizer_id', self.organizer_id)}"
        elif self._session.settings.signs_in_a_user:
            caller = "/me"
        else:
            raise SettingsError(
                "organizer_id is missing: the connection signs in as an application, and only a signed-in user has "
                "a '/me'. Name the organizer's object id, or use a connection with auth 'refresh_token'."
            )
        return f"{caller}/onlineMeetings/{segment('meeting_id', self.meeting_id)}{below}"

    def _read_enrollment(
        self, registrant: ExternalMeetingRegistrant, answer: GraphResponse | TeamsRegistrationError
    ) -> ExternalMeetingRegistrant | TeamsRegistrationError:
        if isinstance(answer, TeamsRegistrationError):
            return self._explain(answer)
        body = answer.body if isinstance(answer.body, dict) else {}
        link = body.get("joinWebUrl")
        if body.get("id") not in (None, registrant.id):
            return AnswerLost("Graph answered with the id of somebody else")
        if not link and body.get("id") != registrant.id:
            return AnswerLost("Graph answered with success, but with neither the id nor a joinWebUrl")
        if link and not is_join_url(link):
            return AnswerLost("Graph answered with a joinWebUrl that is not an https link")
        # A known fault of Graph: it enrolls the person and omits their link.
        return ExternalMeetingRegistrant(registrant.id, registrant.tenant_id, registrant.user_id, link or None)

    @contextmanager
    def _explained(self, **arguments: str) -> Iterator[None]:
        try:
            yield
        except (Forbidden, NotFound) as error:
            raise self._explain(error, **arguments) from None

    def _explain(self, error: TeamsRegistrationError, **arguments: str) -> TeamsRegistrationError:
        if isinstance(error, NotFound):
            named = {"meeting_id": self.meeting_id, "organizer_id": self.organizer_id, **arguments}
            return name_arguments(error, named)
        if isinstance(error, Forbidden) and names_access_policy(error) and not self._session.settings.signs_in_a_user:
            return AccessPolicyMissing(
                error, organizer_id=self.organizer_id, client_id=self._session.settings.client_id
            )
        return error


def _nothing() -> Gone:
    return Gone(200, "", "Graph answered with an empty body instead of the registration.")


def _not_removed(answer: GraphResponse | TeamsRegistrationError) -> TeamsRegistrationError | None:
    """Return why the person may still be on the meeting; None if Graph removed them, which it answers with no body."""
    if isinstance(answer, TeamsRegistrationError):
        return answer
    return (
        None if answer.is_nothing else AnswerLost("Graph answered a cancellation with something that was not asked for")
    )
