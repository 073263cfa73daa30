"""Switches for what Microsoft does not document about the service, and for the settings of a tenant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any


class BadSwitch(ValueError):
    """There is no such switch, or it does not take that value."""


CHOICES: Mapping[str, tuple[str, ...]] = {
    "duplicate": ("same", "new_link", "conflict", "bad_request", "second_record"),
    "retired": ("off", "empty", "not_found", "gone"),
    "second_registration": ("conflict", "same"),
    "rotate_refresh_tokens": ("off", "on", "old_one_dies"),
    "registration_filter": ("works", "refused", "ignored"),
    "registration_key_finds": ("active", "oldest", "nobody"),
    "event_full": ("bad_request", "conflict", "forbidden"),
    "listed_as": ("as_sent", "upper", "lower", "nfc", "nfd", "padded"),
    "paging": ("token", "offset"),
    "second_cancel": ("bad_request", "no_content", "not_found"),
}
"""The values of the switches that take one of a few texts, by name."""


@dataclass(frozen=True)
class Switches:
    """
    How the emulator behaves.

    :param duplicate: what a second POST does for a person who is enrolled in the meeting (same id) or registered for
        the webinar (same e-mail): ``same`` record and link; the record with a ``new_link``; ``conflict`` (409);
        ``bad_request`` (400); a ``second_record``.
    :param list_shows_links: whether the list of registrants holds their links.
    :param list_shows_identities: whether the list of registrants holds their ``tenantId`` and ``userId``.
    :param organization_is_one_tenant: whether a meeting that is open to the organization refuses registrants of other
        tenants than the organizer's.
    :param application_may_enroll: whether an application token may write a meeting's registration, or only read it.
    :param application_access_policy: whether the organizer's access policy includes the app, for meetings and webinars.
    :param second_registration: what opening an open registration returns: ``conflict`` (409), or the ``same`` one.
    :param retired: how the API of meeting registration answers: ``off`` (as before its retirement), ``empty``,
        ``not_found`` or ``gone``.
    :param visibility_lag: seconds until reads show a new registrant or registration and its sessions.
    :param page_size: entries on one page of a list; 0 puts all of them on one page.
    :param empty_page: whether there is an empty page between the first and the second.
    :param paging: what a next link holds: a skip ``token``, which continues after the last entry that was shown, or the
        ``offset`` of the next entry, which skips a person if an earlier entry was removed meanwhile.
    :param listed_as: how reads spell a registrant's id or a registration's e-mail address: ``as_sent``, in ``upper`` or
        ``lower`` case, in the normal form ``nfc`` or ``nfd``, or ``padded`` with spaces.
    :param registration_filter: what ``$filter`` on a webinar's registrations does: it ``works``; it is ``refused``
        (400); it is ``ignored``, so that the list holds everybody.
    :param registration_key: whether ``registrations(email='…')`` and ``registrations(userId='…')`` are supported.
    :param registration_key_finds: which registration such a key returns: the ``active`` one, which is the newest that
        is not cancelled, or the newest if all are; the ``oldest``, cancelled or not; ``nobody`` (404).
    :param application_may_list_registrations: whether ``VirtualEvent.Read.All`` is enough to list registrations.
    :param application_may_read_registration_sessions: whether ``VirtualEvent.Read.All`` is enough to read a
        registration's sessions.
    :param application_may_cancel_registrations: whether ``VirtualEventRegistration-Anon.ReadWrite.All`` is enough to
        cancel a registration.
    :param delegated_may_list_registrations: whether the signed-in organizer may list registrations.
    :param required_questions_enforced: whether a registration without a required answer is refused.
    :param new_registration_status: status of every new registration, documented or not; if empty, capacity and approval
        decide.
    :param event_full: how a full webinar without a waitlist refuses: ``bad_request``, ``conflict`` or ``forbidden``.
    :param second_cancel: what cancelling a cancelled registration does: ``bad_request``, ``no_content`` (204) or
        ``not_found``.
    :param write_limit: number of writes to virtual events that an app may make in a window; 0 is no limit.
    :param write_window: length of that window in seconds.
    :param read_limit: number of reads of virtual events that an app may make in a window; 0 is no limit.
    :param read_window: length of that window in seconds.
    :param latency: the least number of seconds that a call takes.
    :param token_lifetime: seconds for which an access token is valid.
    :param rotate_refresh_tokens: whether the token endpoint returns a new refresh token each time, and whether the old
        one stays valid: ``off``, ``on`` or ``old_one_dies``.
    :param token_names_user: whether the signed-in user's token holds their sign-in name.
    :param roles: permissions of the application, separated by spaces.
    :param scopes: permissions of the signed-in user's token, separated by spaces.
    """

    duplicate: str = "same"
    list_shows_links: bool = False
    list_shows_identities: bool = False
    organization_is_one_tenant: bool = False
    application_may_enroll: bool = True
    application_access_policy: bool = True
    second_registration: str = "conflict"
    retired: str = "off"
    visibility_lag: float = 0.0
    page_size: int = 0
    empty_page: bool = False
    paging: str = "token"
    listed_as: str = "as_sent"
    registration_filter: str = "works"
    registration_key: bool = True
    registration_key_finds: str = "active"
    application_may_list_registrations: bool = True
    application_may_read_registration_sessions: bool = True
    application_may_cancel_registrations: bool = True
    delegated_may_list_registrations: bool = False
    required_questions_enforced: bool = True
    new_registration_status: str = ""
    event_full: str = "bad_request"
    second_cancel: str = "bad_request"
    write_limit: int = 15
    write_window: float = 30.0
    read_limit: int = 750
    read_window: float = 30.0
    latency: float = 0.0
    token_lifetime: int = 3600
    rotate_refresh_tokens: str = "off"
    token_names_user: bool = True
    roles: str = (
        "OnlineMeetings.ReadWrite.All VirtualEvent.Read.All VirtualEventRegistration-Anon.ReadWrite.All Calendars.Read"
    )
    scopes: str = "OnlineMeetings.ReadWrite VirtualEvent.ReadWrite Calendars.Read"

    def changed(self, values: Mapping[str, Any]) -> Switches:
        """
        Return the switches with some of them changed.

        :param values: new values by name. Text is converted to the type of the switch, because a command line has text
            only.
        :raises BadSwitch: there is no such switch, or it does not take that value.
        """
        return replace(self, **{name: self._read(name, value) for name, value in values.items()})

    def _read(self, name: str, value: Any) -> Any:
        present = {field.name: getattr(self, field.name) for field in fields(self)}
        if name not in present:
            raise BadSwitch(f"There is no switch {name!r}; there are {', '.join(sorted(present))}.")
        kind = type(present[name])
        if kind is str and not isinstance(value, str):
            raise BadSwitch(f"Switch {name!r} takes text, not {value!r}.")
        try:
            read = _yes_or_no(value) if kind is bool else kind(value)
        except (OverflowError, TypeError, ValueError):
            raise BadSwitch(f"Switch {name!r} takes {kind.__name__}, not {value!r}.") from None
        if name in CHOICES and read not in CHOICES[name]:
            raise BadSwitch(f"Switch {name!r} takes one of {', '.join(CHOICES[name])}, not {value!r}.")
        if kind in (int, float) and not 0 <= read < math.inf:
            raise BadSwitch(f"Switch {name!r} takes a number from 0 up, not {value!r}.")
        return read


def _yes_or_no(value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "false", "on", "off", "1", "0"):
        raise ValueError(value)
    return text in ("true", "on", "1")
