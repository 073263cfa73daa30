"""
Who may do what with webinars.

Service page: https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from airflow_provider_teams_registration.emulator.exchange import Caller, GraphAnswer, refusal
from airflow_provider_teams_registration.emulator.seeded import ORGANIZER_ID
from airflow_provider_teams_registration.emulator.switches import Switches

_READ_ALL = "VirtualEvent.Read.All"
_READ_CHAT = "VirtualEvent.Read.Chat"
_REGISTER_ALL = "VirtualEventRegistration-Anon.ReadWrite.All"
_REGISTER_CHAT = "VirtualEventRegistration-Anon.ReadWrite.Chat"


class Deed(Enum):
    """What somebody may or may not do."""

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
    Permissions of which one is needed; none at all where the kind of token will not do.

    :param application: of an application token; the least first.
    :param delegated: of a signed-in user's token; the least first.
    :param switch: switch without which only the least one will do for an application.
    """

    application: tuple[str, ...]
    delegated: tuple[str, ...]
    switch: str | None = None


_READING = ("VirtualEvent.Read", "VirtualEvent.ReadWrite")
_WRITING = ("VirtualEvent.ReadWrite",)
_NEEDED: Mapping[Deed, _Needed] = {
    Deed.LIST_WEBINARS: _Needed((_READ_ALL,), ()),
    Deed.LIST_OWN_WEBINARS: _Needed((), _READING),
    Deed.READ_WEBINAR: _Needed((_READ_CHAT, _READ_ALL), _READING),
    Deed.CHANGE_WEBINAR: _Needed((), _WRITING),
    Deed.LIST_REGISTRATIONS: _Needed((_READ_CHAT, _READ_ALL), _READING, "application_may_list_registrations"),
    Deed.READ_REGISTRATION: _Needed((_READ_CHAT, _READ_ALL, _REGISTER_ALL), _READING),
    Deed.READ_REGISTRATION_SESSIONS: _Needed(
        (_READ_CHAT, _READ_ALL), _READING, "application_may_read_registration_sessions"
    ),
    Deed.REGISTER: _Needed((_REGISTER_CHAT, _REGISTER_ALL), _WRITING),
    Deed.CANCEL_REGISTRATION: _Needed(
        (_REGISTER_CHAT, _REGISTER_ALL), _WRITING, "application_may_cancel_registrations"
    ),
}


def refuse_deed(caller: Caller, deed: Deed, switches: Switches) -> GraphAnswer | None:
    """
    Return 403 where the caller's token will not do; it names the permissions of which one is missing.

    :param caller: who calls.
    :param deed: what they are about to do.
    :param switches: the switches in force.
    """
    is_application = caller.user_id is None
    needed = _NEEDED[deed]
    enough = needed.application if is_application else needed.delegated
    if is_application and needed.switch is not None and not getattr(switches, needed.switch):
        enough = enough[:1]
    if deed is Deed.LIST_REGISTRATIONS and not is_application and not switches.delegated_may_list_registrations:
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


def refuse_organizer(caller: Caller, organizer_id: str, switches: Switches) -> GraphAnswer | None:
    """
    Return 403 where the caller has no business with this organizer's webinars.

    An application needs the organizer's access policy for all it does, registering included. Microsoft's pages demand
    it for reading only; those who run it report that nothing works without.

    :param caller: who calls.
    :param organizer_id: whose webinars.
    :param switches: the switches in force.
    """
    if caller.user_id is not None:
        return None if caller.user_id == organizer_id else refusal(403, "Forbidden", "Forbidden")
    # The one policy of the tenant covers the one seeded organizer.
    if switches.application_access_policy and organizer_id == ORGANIZER_ID:
        return None
    return refusal(
        403,
        "Forbidden",
        f"No application access policy found for this app {caller.client_id} on the user {organizer_id}.",
    )
