"""Rows of people inside an operator: rendered like any template field, shown as nothing but their number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import XComArg

_PLAIN = (str, int, float, bool, type(None))


class RegistrantRows:
    """
    The registrants of one task.

    Airflow stores and shows what a template field was rendered to. It stores this as ``str()``, a count, and renders
    what is inside through :attr:`template_fields`.

    :param rows: dicts of column and value, or plain ids; also one of them, or any iterable.
    """

    template_fields = ("rows",)

    def __init__(self, rows: Any) -> None:
        self.rows = _as_list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        from airflow_provider_teams_registration.enrollment.report import count_registrants

        return count_registrants(len(self.rows))

    __repr__ = __str__


class HoldsRegistrants:
    """A task that is given people, and holds them so that Airflow stores and shows no more than their number."""

    @property
    def registrants(self) -> Any:
        """The people, as they were given or, once rendered, as :class:`RegistrantRows`."""
        return self._registrants

    @registrants.setter
    def registrants(self, value: Any) -> None:
        # The first word is the author's and may be a template; what follows is what Airflow rendered it to.
        was_given = hasattr(self, "_registrants")
        self._registrants = hold_rendered(value) if was_given else hold_given(value)


class UnreadableRows:
    """What a template rendered to, where that is no JSON. It may hold people all the same, so it is not shown."""

    def __str__(self) -> str:
        return "no registrants that can be read"

    __repr__ = __str__


def hold_given(value: Any) -> Any:
    """
    Wrap what a DAG's author gave, for a template field.

    What Airflow has yet to resolve stays as it is: a Jinja string, an XComArg, a container with an XComArg in it.
    """
    if value is None or isinstance(value, str | RegistrantRows) or _is_unresolved(value):
        return value
    return RegistrantRows(value)


def hold_rendered(value: Any) -> RegistrantRows | UnreadableRows:
    """Wrap what a template field was rendered to. A Jinja string renders to text, which must be JSON."""
    if isinstance(value, RegistrantRows | UnreadableRows):
        return value
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return UnreadableRows()
    # Nothing at all is more likely a task that failed to return than an event that nobody wants to attend.
    return UnreadableRows() if value is None else RegistrantRows(value)


def refuse_unstorable(rows: Sequence[Any]) -> None:
    """
    Refuse rows that XCom could not hold, before anything is sent: afterwards it would cost everybody their links.

    :raises ValueError: a value is of a kind that Airflow cannot serialize; the sentence names row and kind.
    """
    for position, row in enumerate(rows, start=1):
        for value in row.values() if isinstance(row, Mapping) else [row]:
            if isinstance(value, _PLAIN):
                continue
            try:
                _serialize(value)
            except Exception:
                raise ValueError(
                    f"registrants: row {position} holds a {type(value).__name__}, which XCom cannot; convert it or "
                    "leave it out. Nothing was sent."
                ) from None


def _serialize(value: Any) -> None:
    try:
        from airflow.sdk.bases.xcom import BaseXCom
    except ImportError:
        from airflow.models.xcom import BaseXCom

    BaseXCom.serialize_value(value)


def _is_unresolved(value: Any) -> bool:
    if hasattr(value, "resolve"):
        return True
    return isinstance(value, Mapping | list | tuple) and any(True for _ in XComArg.iter_xcom_references(value))


def _as_list(rows: Any) -> Sequence[Any]:
    if isinstance(rows, list | tuple):
        # The very object: a mapped task's rows are known to Airflow by identity as no templates.
        return rows
    if hasattr(rows, "columns"):
        raise ValueError(f"registrants is a {type(rows).__name__}; give its rows, such as frame.to_dict('records').")
    if isinstance(rows, Mapping | str | bytes | int) or not isinstance(rows, Iterable):
        return [rows]
    # What mapped tasks hand over is lazy: a slice takes one call, an iteration one for each element.
    return list(rows[:] if hasattr(rows, "__getitem__") else rows)
