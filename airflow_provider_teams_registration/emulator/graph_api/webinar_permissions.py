"""
The permissions that each operation on webinars needs.

Service page: https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from airflow_provider_teams_registration.emulator.behaviour.switches import Switches
from airflow_provider_teams_registration.emulator.http.messages import Caller, GraphAnswer, refusal
from airflow_provider_teams_registration.emulator.store.seeded import ORGANIZER_ID

_READ_ALL = "VirtualEvent.Read.All"
_READ_CHAT = "VirtualEvent.Read.Chat"
_REGISTER_ALL = "VirtualEventRegistration-Anon.ReadWrite.All"
_REGISTER_CHAT = "VirtualEventRegistration-Anon.ReadWrite.Chat"


class Operation(Enum):
    """An operation that needs a permission."""

    LIST_WEBINARS = "list webinars"
    LIST_OWN_WEBINARS = "list own webinars"
    READ_WEBINAR = "read a webinar"
    CHANGE_WEBINAR = "change a webinar"
    LIST_REGISTRATIONS = "list registrations"
    READ_REGISTRATION = "read a registration"
    READ_REGISTRATION_SESSIONS = "read a registration's sessions"
    REGISTER = "register"
    CANCEL_REGISTRATION = "cancel a registration"


@dataclass(frozen=True)
class _Needed:
    """
    The permissions that allow an operation. Each of them is enough; an empty tuple means that no permission is.

    :param application: permissions of an application token, the least one first.
    :param delegated: permissions of a signed-in user's token, the least one first.
    :param switch: name of a switch; if it is off, only the least permission is enough for an application.
    """

    application: tuple[str, ...]
    delegated: tuple[str, ...]
    switch: str | None = None


_READING = ("VirtualEvent.Read", "VirtualEvent.ReadWrite")
_WRITING = ("VirtualEvent.ReadWrite",)
_NEEDED: Mapping[Operation, _Needed] = {
    Operation.LIST_WEBINARS: _Needed((_READ_ALL,), ()),
    Operation.LIST_OWN_WEBINARS: _Needed((), _READING),
    Operation.READ_WEBINAR: _Needed((_READ_CHAT, _READ_ALL), _READING),
    Operation.CHANGE_WEBINAR: _Needed((), _WRITING),
    Operation.LIST_REGISTRATIONS: _Needed((_READ_CHAT, _READ_ALL), _READING, "application_may_list_registrations"),
    Operation.READ_REGISTRATION: _Needed((_READ_CHAT, _READ_ALL, _REGISTER_ALL), _READING),
    Operation.READ_REGISTRATION_SESSIONS: _Needed(
        (_READ_CHAT, _READ_ALL), _READING, "application_may_read_registration_sessions"
    ),
    Operation.REGISTER: _Needed((_REGISTER_CHAT, _REGISTER_ALL), _WRITING),
    Operation.CANCEL_REGISTRATION: _Needed(
        (_REGISTER_CHAT, _REGISTER_ALL), _WRITING, "application_may_cancel_registrations"
    ),
}


def check_permission(caller: Caller, operation: Operation, switches: Switches) -> GraphAnswer | None:
    """
    Return None if the caller's token allows an operation, and otherwise the 403 that names the missing permissions.

    :param caller: the caller.
    :param operation: what the caller wants to do.
    :param switches: the present switches.
    """
    is_application = caller.user_id is None
    needed = _NEEDED[operation]
    enough = needed.application if is_application else needed.delegated
    if is_application and needed.switch is not None and not getattr(switches, needed.switch):
        enough = enough[:1]
    is_list = operation is Operation.LIST_REGISTRATIONS
    if is_list and not is_application and not switches.delegated_may_list_registrations:
        enough = ()
    if not enough:
        kind = "Application" if is_application else "Delegated"
        return refusal(403, "Forbidden", f"{kind} permissions are not supported for this operation.")
    if caller.permissions.isdisjoint(enough):
        return refusal(
            403,
            "Authorization_RequestDenied",
            f"Insufficient privileges to complete the operation. Required is one of: {', '.join(enough)}.",
        )
    return None


def check_organizer(caller: Caller, organizer_id: str, switches: Switches) -> GraphAnswer | None:
    """
    Return None if the caller may use an organizer's webinars, and otherwise a 403.

    An application needs the organizer's access policy for every operation, including registration. Microsoft's pages
    require it for reads only, but users report that no operation works without it.

    :param caller: the caller.
    :param organizer_id: object id of the organizer.
    :param switches: the present switches.
    """
    if caller.user_id is not None:
        return None if caller.user_id == organizer_id else refusal(403, "Forbidden", "Forbidden")
    # The tenant has one policy, which covers the one seeded organizer.
    if switches.application_access_policy and organizer_id == ORGANIZER_ID:
        return None
    return refusal(
        403,
        "Forbidden",
        f"No application access policy found for this app {caller.client_id} on the user {organizer_id}.",
    )
