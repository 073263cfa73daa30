"""Open and close an event for registrants, and find it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_teams_registration.events.kinds import MEETING, WEBINAR
from airflow_provider_teams_registration.exceptions import AnswerLost, Conflict, Forbidden, NotFound
from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import (
    PermanentFailure,
    TransientFailure,
    failures_for_airflow,
)
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.event_search import SEARCH_FIELDS, SEARCHES, EventSearchTask
from airflow_provider_teams_registration.operators.event_task import check_rendered_ids, check_written_ids, find_id
from airflow_provider_teams_registration.operators.killable import StopsOnKill
from airflow_provider_teams_registration.xcom.join_link import EventIdArgument

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_DRAFT, _PUBLISHED = "draft", "published"
_KINDS = ("meeting", "webinar")


class OpenRegistrationOperator(StopsOnKill, BaseOperator):
    """
    Open an online meeting for registrants. One that is open to the same audience already stays as it is.

    .. seealso::
        https://learn.microsoft.com/graph/api/externalmeetingregistration-post?view=graph-rest-beta

    :param meeting_id: the online meeting's ``id`` in Graph, or its join URL. (templated)
    :param organizer_id: object id of the meeting's organizer; None is the signed-in user. (templated)
    :param allowed_registrant: ``everyone`` (the default) or ``organization``. (templated)
    :param conn_id: the Airflow connection. (templated)
    :raises PermanentFailure: it is open to another audience, or the event or connection cannot work.
    :raises TransientFailure: Graph was unreachable, was failing or throttled the task.
    """

    template_fields: Sequence[str] = ("meeting_id", "organizer_id", "allowed_registrant", "conn_id")
    ui_color = "#e3e0f7"

    meeting_id = EventIdArgument(absent="")
    organizer_id = TextArgument()
    allowed_registrant = TextArgument(absent="")
    conn_id = TextArgument(absent="")

    def __init__(
        self,
        *,
        meeting_id: str,
        organizer_id: str | None = None,
        allowed_registrant: str = "everyone",
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.meeting_id = meeting_id
        self.organizer_id = organizer_id
        self.allowed_registrant = allowed_registrant
        self.conn_id = conn_id
        check_written_ids(meeting_id=self.meeting_id, organizer_id=self.organizer_id)

    def execute(self, context: Context) -> dict[str, str]:
        """Open it, and return the registration's ``id`` and ``allowed_registrant``."""
        from airflow_provider_teams_registration.graph.online_meeting_bodies import AUDIENCES

        if self.allowed_registrant not in AUDIENCES:
            raise PermanentFailure(
                f"allowed_registrant is {self.allowed_registrant!r}; it must be one of {', '.join(AUDIENCES)}."
            )
        check_rendered_ids(meeting_id=self.meeting_id, organizer_id=self.organizer_id)
        with failures_for_airflow():
            hook = self.new_hook()
            meeting_id = find_id(hook.session, MEETING, self.meeting_id, self.organizer_id)
            meeting = hook.online_meeting(meeting_id, self.organizer_id)
            try:
                registration = meeting.registration()
            except NotFound:
                try:
                    registration = meeting.open_registration(self.allowed_registrant)
                except (AnswerLost, Conflict):
                    # Our request took effect although its answer was lost, or another caller opened it first.
                    registration = meeting.registration()
        if registration.allowed_registrant != self.allowed_registrant:
            raise PermanentFailure(
                f"The registration is open to {registration.allowed_registrant}, not to {self.allowed_registrant}. "
                "Close it first; what becomes of those who are enrolled then is documented nowhere."
            )
        self.log.info("The registration is open to %s.", registration.allowed_registrant)
        return {"id": registration.id, "allowed_registrant": registration.allowed_registrant}


class CloseRegistrationOperator(StopsOnKill, BaseOperator):
    """
    Close an online meeting for registrants. What becomes of those who are enrolled is documented nowhere.

    .. seealso::
        https://learn.microsoft.com/graph/api/externalmeetingregistration-delete?view=graph-rest-beta

    :param meeting_id: the online meeting's ``id`` in Graph, or its join URL. (templated)
    :param organizer_id: object id of the meeting's organizer; None is the signed-in user. (templated)
    :param conn_id: the Airflow connection. (templated)
    :raises PermanentFailure: the event or connection cannot work.
    :raises TransientFailure: Graph was unreachable, was failing or throttled the task.
    """

    template_fields: Sequence[str] = ("meeting_id", "organizer_id", "conn_id")
    ui_color = "#e3e0f7"

    meeting_id = EventIdArgument(absent="")
    organizer_id = TextArgument()
    conn_id = TextArgument(absent="")

    def __init__(
        self,
        *,
        meeting_id: str,
        organizer_id: str | None = None,
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.meeting_id = meeting_id
        self.organizer_id = organizer_id
        self.conn_id = conn_id
        check_written_ids(meeting_id=self.meeting_id, organizer_id=self.organizer_id)

    def execute(self, context: Context) -> None:
        """Close the registration. Do nothing if it is not open."""
        check_rendered_ids(meeting_id=self.meeting_id, organizer_id=self.organizer_id)
        with failures_for_airflow():
            hook = self.new_hook()
            meeting_id = find_id(hook.session, MEETING, self.meeting_id, self.organizer_id)
            meeting = hook.online_meeting(meeting_id, self.organizer_id)
            # A meeting that does not exist is not "closed".
            meeting.join_web_url()
            try:
                meeting.close_registration()
            except NotFound:
                self.log.info("The registration was not open.")
            except AnswerLost as error:
                raise TransientFailure(str(error)) from None


class PublishWebinarOperator(StopsOnKill, BaseOperator):
    """
    Publish a webinar, which opens it for registrations. One that is published already stays as it is.

    Only the signed-in organizer can publish it, so the connection's ``auth`` must be ``refresh_token``.

    .. seealso::
        https://learn.microsoft.com/graph/api/virtualeventwebinar-publish

    :param webinar_id: the webinar's ``id`` in Graph, or its join URL. (templated)
    :param conn_id: the Airflow connection. (templated)
    :raises PermanentFailure: the webinar is cancelled, or the event or connection cannot work.
    :raises TransientFailure: Graph was unreachable, was failing or throttled the task.
    """

    template_fields: Sequence[str] = ("webinar_id", "conn_id")
    ui_color = "#e3e0f7"

    webinar_id = EventIdArgument(absent="")
    conn_id = TextArgument(absent="")

    def __init__(
        self, *, webinar_id: str, conn_id: str = TeamsRegistrationHook.default_conn_name, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.webinar_id = webinar_id
        self.conn_id = conn_id
        check_written_ids(webinar_id=self.webinar_id)

    def execute(self, context: Context) -> None:
        """Publish it."""
        check_rendered_ids(webinar_id=self.webinar_id)
        with failures_for_airflow():
            hook = self.new_hook()
            webinar = hook.webinar(find_id(hook.session, WEBINAR, self.webinar_id))
            status = webinar.info().status
            if status == _DRAFT:
                try:
                    webinar.publish()
                except AnswerLost:
                    self.log.info("The answer was lost; looking whether it is published.")
                except Forbidden as error:
                    raise PermanentFailure(
                        f"Graph does not let this connection publish the webinar: {error.reason}. Use a connection "
                        "with auth refresh_token of the webinar's organizer, and the delegated permission "
                        "VirtualEvent.ReadWrite."
                    ) from None
                status = webinar.info().status
        if status == _DRAFT:
            raise TransientFailure("The webinar is still a draft.")
        if status != _PUBLISHED:
            raise PermanentFailure(f"The webinar is {status or 'of no status'}; only a draft can be published.")
        self.log.info("The webinar is published.")


class FindEventOperator(EventSearchTask):
    """
    Find the id of an event by what people know of it, for the operators that need it.

    .. code-block:: python

        find = FindEventOperator(task_id="find", join_meeting_id="123 456 789 01", organizer_id="dc17674c-...")
        enroll = EnrollRegistrantOperator(
            task_id="enroll", meeting_id=find.output, organizer_id="dc17674c-...", registrants=attendees.output
        )

    Exactly one of ``join_web_url``, ``join_meeting_id``, ``event_id`` and ``webinar_name`` is given. With
    ``kind="webinar"``, ``join_web_url`` is a webinar's link: its own, a registrant's, or that of its registration page.
    An application that gives no ``organizer_id`` then takes the organizer from the link, or else searches the webinars
    of every organizer.

    :param kind: what ``join_web_url`` leads to: ``meeting`` (the default) or ``webinar``.
    :raises PermanentFailure: there is no such event, or more than one.
    :raises TransientFailure: Graph was unreachable, was failing or throttled the task.
    """

    template_fields: Sequence[str] = SEARCH_FIELDS
    ui_color = "#e3e0f7"

    def __init__(self, *, kind: str = "meeting", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        if kind not in _KINDS:
            raise ValueError(f"kind is {kind!r}; it must be one of {', '.join(_KINDS)}.")
        if sum(getattr(self, name) is not None for name in SEARCHES) != 1:
            raise ValueError("Give exactly one of join_web_url, join_meeting_id, event_id and webinar_name.")
        for name in ("join_meeting_id", "event_id"):
            if kind == "webinar" and getattr(self, name) is not None:
                raise ValueError(f"{name} finds meetings only. Find a webinar by join_web_url or webinar_name.")
        check_written_ids(organizer_id=self.organizer_id)

    def execute(self, context: Context) -> str:
        """Return the id."""
        from airflow_provider_teams_registration.graph import event_search as finding
        from airflow_provider_teams_registration.graph.webinar_by_link import webinar_by_join_web_url

        check_rendered_ids(organizer_id=self.organizer_id)
        ways = {
            "join_web_url": webinar_by_join_web_url if self.kind == "webinar" else finding.meeting_by_join_web_url,
            "join_meeting_id": finding.meeting_by_join_meeting_id,
            "event_id": finding.meeting_by_calendar_event,
            "webinar_name": finding.webinar_by_name,
        }
        with failures_for_airflow():
            session = self.new_hook().session
            for name, value in self.search_values().items():
                if value:
                    return ways[name](session, value, self.organizer_id)
        raise PermanentFailure(f"{', '.join(SEARCHES[:-1])} and {SEARCHES[-1]} are empty. Give one of them.")
