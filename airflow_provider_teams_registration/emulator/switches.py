"""What nobody outside Microsoft knows about the service, and what a tenant may be set to: one switch each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any


class BadSwitch(ValueError):
    """There is no such switch, or it does not take that value."""


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "duplicate": ("same", "new_link", "conflict", "bad_request", "second_record"),
    "retired": ("off", "empty", "not_found", "gone"),
    "second_registration": ("conflict", "same"),
    "rotate_refresh_tokens": ("off", "on", "old_one_dies"),
    "registration_filter": ("works", "refused", "ignored"),
    "registration_key_finds": ("active", "oldest", "nobody"),
    "event_full": ("bad_request", "conflict", "forbidden"),
    "second_cancel": ("bad_request", "no_content", "not_found"),
}


@dataclass(frozen=True)
class Switches:
    """
    How the emulator behaves.

    :param duplicate: what a second POST for a person does who is enrolled in a meeting, by id, or registered for a
        webinar, by e-mail: ``same`` record and link; the record with a ``new_link``; ``conflict`` (409);
        ``bad_request`` (400); a ``second_record``.
    :param list_shows_links: whether the list of registrants holds their links.
    :param application_may_enroll: whether an application token may do more than read a meeting's registration.
    :param application_access_policy: whether the organizer's access policy names the app, for both kinds of event.
    :param second_registration: what opening an open registration does: ``conflict`` (409), or the ``same`` one.
    :param retired: how a retired API answers: ``off`` (it lives), ``empty``, ``not_found`` or ``gone``.
    :param visibility_lag: seconds until a new registrant or registration, with its sessions, shows in reads.
    :param page_size: entries on one page of a list; 0 is all of them.
    :param empty_page: whether an empty page stands between the first and the second.
    :param registration_filter: what ``$filter`` on a webinar's registrations does: it ``works``; it is ``refused``
        (400); it is ``ignored``, and the list holds everybody.
    :param registration_key: whether ``registrations(email='…')`` and ``registrations(userId='…')`` name a registration.
    :param registration_key_finds: which registration they name, where they name one: the ``active`` one, the latest, or
        else the latest that is cancelled; the ``oldest``, cancelled or not; ``nobody`` (404).
    :param application_may_list_registrations: whether ``VirtualEvent.Read.All`` is enough to list registrations.
    :param application_may_read_registration_sessions: whether it is enough to read a registration's sessions.
    :param application_may_cancel_registrations: whether ``VirtualEventRegistration-Anon.ReadWrite.All`` is enough to
        cancel a registration.
    :param delegated_may_list_registrations: whether the signed-in organizer may list registrations.
    :param required_questions_enforced: whether a registration without an answer that is required is refused.
    :param new_registration_status: status that every new registration gets, whether documented or not; empty text
        leaves it to the rules.
    :param event_full: how a full webinar without a waitlist refuses: ``bad_request``, ``conflict`` or ``forbidden``.
    :param second_cancel: what cancelling a cancelled registration does: ``bad_request``, ``no_content`` (204) or
        ``not_found``.
    :param write_limit: how many writes to virtual events an app may make in a window; 0 is any number.
    :param write_window: seconds of that window.
    :param read_limit: how many reads of virtual events an app may make in a window; 0 is any number.
    :param read_window: seconds of that window.
    :param latency: seconds every call takes at least.
    :param token_lifetime: seconds a token is good for.
    :param rotate_refresh_tokens: whether the token endpoint hands out a new refresh token each time.
    :param token_names_user: whether the signed-in user's token says what they sign in with.
    :param roles: permissions of the application, separated by spaces.
    :param scopes: permissions of the signed-in user's token, separated by spaces.
    """

    duplicate: str = "same"
    list_shows_links: bool = False
    application_may_enroll: bool = True
    application_access_policy: bool = True
    second_registration: str = "conflict"
    retired: str = "off"
    visibility_lag: float = 0.0
    page_size: int = 0
    empty_page: bool = False
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
        Return switches with some of them set anew.

        :param values: by name; text is read as what the switch holds, so that a command line can give it.
        :raises BadSwitch: there is no such switch, or it does not take that value.
        """
        return replace(self, **{name: self._read(name, value) for name, value in values.items()})

    def _read(self, name: str, value: Any) -> Any:
        present = {field.name: getattr(self, field.name) for field in fields(self)}
        if name not in present:
            raise BadSwitch(f"There is no switch {name!r}; there are {', '.join(sorted(present))}.")
        kind = type(present[name])
        try:
            read = _yes_or_no(value) if kind is bool else kind(value)
        except (OverflowError, TypeError, ValueError):
            raise BadSwitch(f"Switch {name!r} takes {kind.__name__}, not {value!r}.") from None
        if name in _CHOICES and read not in _CHOICES[name]:
            raise BadSwitch(f"Switch {name!r} takes one of {', '.join(_CHOICES[name])}, not {value!r}.")
        if kind in (int, float) and not 0 <= read < math.inf:
            raise BadSwitch(f"Switch {name!r} takes a number from 0 up, not {value!r}.")
        return read


def _yes_or_no(value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "false", "on", "off", "1", "0"):
        raise ValueError(value)
    return text in ("true", "on", "1")
