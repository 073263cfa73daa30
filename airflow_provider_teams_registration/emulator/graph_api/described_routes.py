"""
The routes of the emulated Graph, for its OpenAPI description.

:mod:`.graph` decides segment by segment, as OData does, so the routes are listed here a second time. The tests send
requests that the description allows and requests that it does not allow, and compare the answers with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from airflow_provider_teams_registration.emulator.graph_api.schemas import is_list


@dataclass(frozen=True)
class GraphRoute:
    """
    One method of a path.

    :param method: HTTP method in lower case, as OpenAPI has it.
    :param path: the path, with ids in braces.
    :param does: what the route does, in a few words.
    :param answers: names of the schemas of successful answers, by status; None is no body.
    :param body: name of the schema of the request's body; None is no body.
    :param query: names of the query parameters that the route reads; an exclamation mark marks a required one.
    """

    method: str
    path: str
    does: str
    answers: Mapping[int, str | None]
    body: str | None = None
    query: str = ""


_OWNERS = ("me", "users/{userId}")
_WEBINARS = "/{version}/solutions/virtualEvents/webinars"
_EVENT = "/{version}/solutions/virtualEvents/events/{webinarId}"
_WEBINAR = f"{_WEBINARS}/{{webinarId}}"
_REGISTRATION = f"{_WEBINAR}/registrations/{{registrationId}}"
_WEBINAR_ROUTES = (
    GraphRoute("get", _WEBINARS, "List webinars", {200: "Webinars"}, query="$count"),
    GraphRoute("post", _WEBINARS, "Create a draft", {201: "Webinar"}, "WebinarProperties"),
    GraphRoute("get", f"{_WEBINARS}/getByUserRole(role='{{role}}')", "List own webinars", {200: "Webinars"}),
    GraphRoute(
        "get",
        f"{_WEBINARS}/getByUserIdAndRole(userId='{{userId}}',role='{{role}}')",
        "List somebody's webinars",
        {200: "Webinars"},
    ),
    GraphRoute("get", _WEBINAR, "Read a webinar", {200: "Webinar"}),
    GraphRoute("patch", _WEBINAR, "Change a webinar", {200: "Webinar"}, "WebinarProperties"),
    GraphRoute("post", f"{_WEBINAR}/publish", "Publish a draft", {204: None}),
    GraphRoute("post", f"{_WEBINAR}/cancel", "Cancel a webinar", {204: None}),
    GraphRoute("post", f"{_EVENT}/publish", "Publish a draft, as generated libraries do", {204: None}),
    GraphRoute("post", f"{_EVENT}/cancel", "Cancel a webinar, as generated libraries do", {204: None}),
    GraphRoute("get", f"{_WEBINAR}/registrationConfiguration", "Read the form", {200: "WebinarConfiguration"}),
    GraphRoute(
        "get", f"{_WEBINAR}/registrationConfiguration/questions", "List its questions", {200: "WebinarQuestions"}
    ),
    GraphRoute("get", f"{_WEBINAR}/sessions", "List sessions", {200: "WebinarSessions"}),
    GraphRoute("get", f"{_WEBINAR}/sessions/{{sessionId}}", "Read a session", {200: "WebinarSession"}),
    GraphRoute("get", f"{_WEBINAR}/registrations", "List people", {200: "WebinarRegistrations"}, query="$filter"),
    GraphRoute(
        "post",
        f"{_WEBINAR}/registrations",
        "Register somebody, or the signed-in user",
        {201: "WebinarRegistration", 204: None},
        "NewWebinarRegistration",
    ),
    GraphRoute("get", _REGISTRATION, "Read a registration", {200: "WebinarRegistration"}),
    GraphRoute(
        "get",
        f"{_WEBINAR}/registrations(email='{{email}}')",
        "Read a registration by its address",
        {200: "WebinarRegistration"},
    ),
    GraphRoute("get", f"{_REGISTRATION}/sessions", "Read a person's link", {200: "WebinarSessions"}),
    GraphRoute("post", f"{_REGISTRATION}/cancel", "Take a person off", {204: None}),
)


_TEAMS_APPS = "/{version}/appCatalogs/teamsApps"
_TEAMS_APP_ROUTES = (
    GraphRoute("get", _TEAMS_APPS, "Find a Teams app by its id", {200: "TeamsApps"}, query="$filter!"),
    GraphRoute("post", _TEAMS_APPS, "Upload the package of a Teams app", {201: "TeamsApp"}, "TeamsAppPackage"),
    GraphRoute(
        "post",
        "/{version}/chats/{chatId}/installedApps",
        "Install a Teams app in a chat, and consent to its permissions",
        {201: None},
        "NewTeamsAppInstallation",
    ),
)


def _routes_of(owner: str) -> Iterator[GraphRoute]:
    meetings = f"/{{version}}/{owner}/onlineMeetings"
    registration = f"/beta/{owner}/onlineMeetings/{{meetingId}}/registration"
    registrants, options = f"{registration}/registrants", "$select $top $count"
    yield GraphRoute("get", meetings, "Find a meeting", {200: "Meetings"}, query=f"$filter! {options}")
    yield GraphRoute("post", meetings, "Create a meeting", {201: "Meeting"}, "NewMeeting")
    yield GraphRoute("get", f"{meetings}/{{meetingId}}", "Read a meeting", {200: "Meeting"}, query="$select")
    yield GraphRoute("get", registration, "Read a registration", {200: "MeetingRegistration"})
    yield GraphRoute("post", registration, "Open a meeting", {201: "MeetingRegistration"}, "NewMeetingRegistration")
    yield GraphRoute("delete", registration, "Close a meeting", {204: None})
    yield GraphRoute("get", registrants, "List registrants", {200: "MeetingRegistrants"}, query=f"$skiptoken {options}")
    yield GraphRoute("post", registrants, "Enroll somebody", {200: "MeetingRegistrant"}, "NewMeetingRegistrant")
    yield GraphRoute("get", f"{registrants}/{{registrantId}}", "Read a registrant", {200: "MeetingRegistrant"})
    yield GraphRoute("delete", f"{registrants}/{{registrantId}}", "Take a person off", {204: None})
    event = f"/{{version}}/{owner}/events/{{eventId}}"
    yield GraphRoute("get", event, "Read an event", {200: "CalendarEvent"}, query="$select")


def _count_of(route: GraphRoute) -> GraphRoute:
    query = " ".join(name for name in route.query.split() if name.startswith("$filter"))
    return GraphRoute("get", f"{route.path}/$count", f"{route.does}: how many", {200: "Count"}, query=query)


_ROUTES = (
    *(route for owner in _OWNERS for route in _routes_of(owner)),
    *_WEBINAR_ROUTES,
    *_TEAMS_APP_ROUTES,
    GraphRoute("post", "/{version}/$batch", "Send up to 20 requests", {200: "BatchAnswer"}, "Batch"),
)
GRAPH_ROUTES: tuple[GraphRoute, ...] = (
    *_ROUTES,
    *(_count_of(route) for route in _ROUTES if route.method == "get" and is_list(str(route.answers[200]))),
)
"""The routes of the emulated Graph."""
