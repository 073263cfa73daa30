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
}


@dataclass(frozen=True)
class Switches:
    """
    How the emulator behaves.

    :param duplicate: what a second POST for an enrolled id does: ``same`` record and link; the record with a
        ``new_link``; ``conflict`` (409); ``bad_request`` (400); a ``second_record``.
    :param list_shows_links: whether the list of registrants holds their links.
    :param application_may_enroll: whether an application token may do more than read.
    :param application_access_policy: whether the organizer's access policy names the app.
    :param second_registration: what opening an open registration does: ``conflict`` (409), or the ``same`` one.
    :param retired: how a retired API answers: ``off`` (it lives), ``empty``, ``not_found`` or ``gone``.
    :param visibility_lag: seconds until a new registrant shows in reads.
    :param page_size: registrants on one page of the list; 0 is all of them.
    :param empty_page: whether an empty page stands between the first and the second.
    :param latency: seconds every call takes at least.
    :param token_lifetime: seconds a token is good for.
    :param rotate_refresh_tokens: whether the token endpoint hands out a new refresh token each time.
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
    latency: float = 0.0
    token_lifetime: int = 3600
    rotate_refresh_tokens: str = "off"
    roles: str = "OnlineMeetings.ReadWrite.All"
    scopes: str = "OnlineMeetings.ReadWrite"

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
