"""
An online meeting with external registration (Graph beta).

Service pages: https://learn.microsoft.com/graph/api/resources/externalmeetingregistration?view=graph-rest-beta and
https://learn.microsoft.com/graph/api/resources/externalmeetingregistrant?view=graph-rest-beta. Microsoft announced the
end of this API for 2024-12-12 and points to webinars.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.graph.address import segment
from airflow_provider_teams_registration.graph.batch import BatchRequest
from airflow_provider_teams_registration.graph.errors import (
    AccessPolicyMissing,
    AnswerLost,
    Forbidden,
    Gone,
    SettingsError,
    TeamsRegistrationError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_teams_registration.graph.session import GraphSession

VERSION = "beta"
REGISTRATION_TYPE = "#microsoft.graph.externalMeetingRegistration"
REGISTRANT_TYPE = "#microsoft.graph.externalMeetingRegistrant"
AUDIENCES = ("everyone", "organization")


@dataclass(frozen=True)
class ExternalMeetingRegistration:
    """
    A meeting's being open for registrants.

    :param id: made by the service.
    :param allowed_registrant: ``everyone`` or ``organization``.
    """

    id: str
    allowed_registrant: str


@dataclass(frozen=True)
class ExternalMeetingRegistrant:
    """
    One person on the meeting's list.

    :param id: the caller's own id, any form of string.
    :param tenant_id: the person's tenant; only with an ``organization`` audience.
    :param user_id: the person's Entra object id; only with an ``organization`` audience.
    :param join_web_url: the person's own link, a credential. The service hands it out once, in the answer to the
        enrollment; its list holds none.
    """

    id: str
    tenant_id: str | None = None
    user_id: str | None = None
    join_web_url: str | None = field(default=None, repr=False)


class OnlineMeeting:
    """
    One online meeting: its registration and its registrants.

    :param session: the authorised session.
    :param meeting_id: the meeting's ``id`` (not its join URL nor its number).
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

        :param once: whether it is asked for one time only, for callers that can do without. Default False.
        :raises GraphError: Graph answered no.
        """
        with self._explained():
            return self._session.read(VERSION, self._path(), once=once).get("joinWebUrl") or None

    def open_registration(self, allowed_registrant: str = "everyone") -> ExternalMeetingRegistration:
        """
        Open the meeting for registrants. A meeting has one registration.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistration-post?view=graph-rest-beta

        :param allowed_registrant: ``everyone``, or ``organization`` for people of the organizer's organization.
        :raises SettingsError: there is no such audience.
        :raises GraphError: Graph answered no.
        :raises AnswerLost: whether it is open now is not known; :meth:`registration` tells.
        """
        if allowed_registrant not in AUDIENCES:
            raise SettingsError(
                f"allowed_registrant is {allowed_registrant!r}; it must be one of {', '.join(AUDIENCES)}."
            )
        body = {"@odata.type": REGISTRATION_TYPE, "allowedRegistrant": allowed_registrant}
        with self._explained():
            answer = self._session.write("POST", VERSION, self._path("/registration"), body)
        return self._read_registration(answer)

    def registration(self) -> ExternalMeetingRegistration:
        """
        Return the meeting's registration.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistration-get?view=graph-rest-beta

        :raises NotFound: there is no such meeting, or its registration is not open.
        :raises Gone: Graph answered with nothing, as a retired API may.
        :raises GraphError: Graph answered no.
        """
        with self._explained():
            return self._read_registration(self._session.read(VERSION, self._path("/registration")))

    def close_registration(self) -> None:
        """
        Close the meeting for registrants. What becomes of those enrolled is not documented.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistration-delete?view=graph-rest-beta

        :raises NotFound: it is not open.
        :raises GraphError: Graph answered no.
        :raises AnswerLost: whether it is closed now is not known; :meth:`registration` tells.
        """
        with self._explained():
            self._session.write("DELETE", VERSION, self._path("/registration"))

    def enroll(
        self, registrants: Sequence[ExternalMeetingRegistrant]
    ) -> list[ExternalMeetingRegistrant | TeamsRegistrationError]:
        """
        Put up to 20 people on the meeting, in one call that is sent once.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistrant-post?view=graph-rest-beta

        :param registrants: the people; their ``join_web_url`` is not sent.
        :return: for each, in order, the registrant with the link, or the error that stands for them:
            :class:`AnswerLost` where it is not known whether they are on the list, :class:`Throttled` where they were
            not tried, and so on.
        """
        path = self._path("/registration/registrants")
        answers = self._session.batch(VERSION, [_enrollment(path, registrant) for registrant in registrants])
        return [
            self._read_enrollment(registrant, answer) for registrant, answer in zip(registrants, answers, strict=True)
        ]

    def registrants(self) -> Iterator[ExternalMeetingRegistrant]:
        """
        List the people on the meeting. The service gives no links here.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistrant-list?view=graph-rest-beta

        :raises NotFound: there is no such meeting, or its registration is not open.
        :raises GraphError: Graph answered no.
        """
        with self._explained():
            for item in self._session.pages(VERSION, self._path("/registration/registrants")):
                yield ExternalMeetingRegistrant(
                    id=str(item.get("id")),
                    tenant_id=item.get("tenantId"),
                    user_id=item.get("userId"),
                    join_web_url=item.get("joinWebUrl") or None,
                )

    def cancel(self, registrant_id: str) -> None:
        """
        Take one person off the meeting.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistrant-delete?view=graph-rest-beta

        :param registrant_id: the caller's own id, as it was enrolled.
        :raises SettingsError: the id cannot stand in an address.
        :raises NotFound: they are not on the list, or the registration is not open.
        :raises GraphError: Graph answered no.
        :raises AnswerLost: whether they are off now is not known; :meth:`registrants` tells.
        """

        def send() -> None:
            answer = self.cancel_all([registrant_id])[0]
            if isinstance(answer, TeamsRegistrationError):
                raise answer

        with self._explained():
            self._session.pace.obey(send)

    def cancel_all(self, registrant_ids: Sequence[str]) -> list[TeamsRegistrationError | None]:
        """
        Take up to 20 people off the meeting, in one call that is sent once.

        Service page: https://learn.microsoft.com/graph/api/externalmeetingregistrant-delete?view=graph-rest-beta

        :param registrant_ids: the callers' own ids, as they were enrolled.
        :return: for each, in order, None or the error that stands for it.
        :raises SettingsError: an id cannot stand in an address.
        """
        # As batch items the ids stay out of the address that HTTP libraries and proxies write into their logs.
        answers = self._session.batch(VERSION, [self._cancellation(registrant_id) for registrant_id in registrant_ids])
        return [self._explain(answer) if isinstance(answer, TeamsRegistrationError) else None for answer in answers]

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

    def _read_registration(self, body: Any) -> ExternalMeetingRegistration:
        if not isinstance(body, dict) or not body.get("allowedRegistrant"):
            raise Gone(200, "", "Graph answered about the registration with nothing in it.")
        return ExternalMeetingRegistration(str(body.get("id") or ""), str(body["allowedRegistrant"]))

    def _read_enrollment(
        self, registrant: ExternalMeetingRegistrant, answer: Any
    ) -> ExternalMeetingRegistrant | TeamsRegistrationError:
        if isinstance(answer, TeamsRegistrationError):
            return self._explain(answer)
        link = answer.get("joinWebUrl") if isinstance(answer, dict) else None
        if not isinstance(link, str) or not link:
            return AnswerLost("Graph answered with success but without a joinWebUrl")
        # The id is the one we sent: the answer's own is known not to be reliable.
        return ExternalMeetingRegistrant(registrant.id, registrant.tenant_id, registrant.user_id, link)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except Forbidden as error:
            raise self._explain(error) from None

    def _explain(self, error: TeamsRegistrationError) -> TeamsRegistrationError:
        if (
            isinstance(error, Forbidden)
            and "application access policy" in error.message.lower()
            and not self._session.settings.signs_in_a_user
        ):
            return AccessPolicyMissing(
                error, organizer_id=self.organizer_id, client_id=self._session.settings.client_id
            )
        return error


def _enrollment(path: str, registrant: ExternalMeetingRegistrant) -> BatchRequest:
    body = {"@odata.type": REGISTRANT_TYPE, "id": registrant.id}
    if registrant.tenant_id is not None:
        body["tenantId"] = registrant.tenant_id
    if registrant.user_id is not None:
        body["userId"] = registrant.user_id
    return BatchRequest("POST", path, body, sent=(registrant.id, registrant.tenant_id, registrant.user_id))
