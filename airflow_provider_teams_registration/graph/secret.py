"""Values that must never show, and errors that must not carry them."""

from __future__ import annotations

from typing import TypeVar

E = TypeVar("E", bound=BaseException)


class Secret(str):
    """
    A string whose ``repr`` does not show it.

    Error trackers and debuggers record the ``repr`` of local variables, in frames of libraries too.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def bare(error: E) -> E:
    """
    Return an error without the frames and the errors that it came through.

    The frames of msal, requests and urllib3 hold what was sent as local variables: tokens, secrets and people's data.

    :param error: the error, which is changed.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
