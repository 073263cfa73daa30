"""
Which permission of Microsoft Graph lets a connection do what.

Service page: https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from dataclasses import dataclass

APPLICATION_IDS = {
    "OnlineMeetings.ReadWrite.All": "b8bb2037-6e08-44ac-a4ea-4674e010e2a4",
    "OnlineMeetingArtifact.Read.All": "df01ed3b-eb61-4eca-9965-6b3d789751b2",
    "VirtualEvent.Read.All": "1dccb351-c4e4-4e09-a8d1-7a9ecbf027cc",
    "VirtualEventRegistration-Anon.ReadWrite.All": "23211fc1-f9d1-4e8e-8e9e-08a5d0a109bb",
    "Calendars.Read": "798ee544-9d2d-430c-a058-570e29e34338",
}
DELEGATED_IDS = {
    "OnlineMeetings.ReadWrite": "a65f2972-a4f8-4f5e-afd7-69ccb046d5dc",
    "OnlineMeetingArtifact.Read.All": "110e5abb-a10c-4b59-8b55-9b4daa4ef743",
    "VirtualEvent.ReadWrite": "d38d189c-e29b-4344-8b3b-829bfa81380b",
    "Calendars.Read": "465a38f9-76ea-45b9-9f34-9e8b0d4b0b42",
}


@dataclass(frozen=True)
class Operation:
    """
    Something that needs a permission.

    :param name: what it is, to follow "to".
    :param application: permissions of an application of which one is enough; the first is the one to grant.
    :param delegated: the same of a signed-in user's token.
    :param event: the permission of the event's own (resource-specific consent) that is enough, too; None is none.
    """

    name: str
    application: tuple[str, ...]
    delegated: tuple[str, ...]
    event: str | None = None

    def enough(self, *, is_delegated: bool) -> tuple[str, ...]:
        """Return the permissions of which one is enough; the first is the one to grant."""
        return self.delegated if is_delegated else self.application


_READS_WEBINARS = ("VirtualEvent.Read.All",), ("VirtualEvent.ReadWrite", "VirtualEvent.Read"), "VirtualEvent.Read.Chat"
READ_WEBINAR = Operation("read webinars", *_READS_WEBINARS)
LIST_REGISTRATIONS = Operation("list registrations", *_READS_WEBINARS)
READ_LINK = Operation("read the links of registrations", *_READS_WEBINARS)
REGISTER = Operation(
    "register people for webinars",
    ("VirtualEventRegistration-Anon.ReadWrite.All",),
    ("VirtualEvent.ReadWrite",),
    "VirtualEventRegistration-Anon.ReadWrite.Chat",
)
READ_MEETING = Operation(
    "read online meetings",
    ("OnlineMeetings.ReadWrite.All", "OnlineMeetings.Read.All"),
    ("OnlineMeetings.ReadWrite", "OnlineMeetings.Read"),
)
ENROLL = Operation("enroll people in online meetings", ("OnlineMeetings.ReadWrite.All",), ("OnlineMeetings.ReadWrite",))
READ_CALENDAR = Operation(
    "read calendars",
    ("Calendars.Read", "Calendars.ReadBasic.All", "Calendars.ReadWrite"),
    ("Calendars.Read", "Calendars.ReadBasic", "Calendars.ReadWrite"),
)
READ_ATTENDANCE = Operation(
    "read attendance",
    ("OnlineMeetingArtifact.Read.All",),
    ("OnlineMeetingArtifact.Read.All",),
    "OnlineMeetingArtifact.Read.Chat",
)
