"""A sign-in on another device."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceCode:
    """
    A sign-in on another device that was started and not finished.

    :param scope: the requested scopes, separated by spaces.
    :param is_asked_about: whether a client has already polled for the tokens.
    """

    scope: str
    is_asked_about: bool = False
