"""Read the text arguments of every operator, sensor and trigger."""

from __future__ import annotations

from typing import Any

_INVISIBLE = "\ufeff\u200b\u2060"
_NOTHING = frozenset({"", "none", "null"})


def given(value: Any) -> Any:
    """
    Return an argument without the white space around it, or None if it is not given.

    A template renders a missing value to the text ``None`` or ``null``, or to an empty text.

    :param value: the argument, rendered or not. The function returns other types unchanged.
    """
    if not isinstance(value, str):
        return value
    text = value.strip().strip(_INVISIBLE).strip()
    return None if text.lower() in _NOTHING else text


class TextArgument:
    """
    An attribute of a task that holds a text argument as :func:`given` reads it.

    Airflow assigns the rendered value to the attribute, so the same code reads it.

    :param absent: the value of the attribute if the argument is not given. Default None. For a required argument
        it is an empty text, so that no default replaces it.
    """

    def __init__(self, absent: str | None = None) -> None:
        self._absent = absent
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, task: Any, owner: type | None = None) -> Any:
        if task is None:
            return self
        try:
            return task.__dict__[self._name]
        except KeyError:
            raise AttributeError(f"{type(task).__name__} has no {self._name} yet.") from None

    def __set__(self, task: Any, value: Any) -> None:
        text = given(value)
        task.__dict__[self._name] = self._absent if text is None else text
