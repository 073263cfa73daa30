"""Rows of people inside an operator: rendered like any template field, shown as nothing but their number."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import XComArg


class RegistrantRows:
    """
    The registrants of one task.

    Airflow stores and shows what a template field was rendered to. It stores this as ``str()``, a count, and renders
    what is inside through :attr:`template_fields`.

    :param rows: dicts of column and value, or plain ids; also one of them, or any iterable. Lists of dicts, as mapped
        tasks leave them, count as one list.
    """

    template_fields: tuple[str, ...] = ("rows",)

    def __init__(self, rows: Any) -> None:
        self.rows = _flat(_as_list(rows))

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
        # The author's word may be a template; what follows once the task runs is what Airflow rendered it to.
        is_first = not hasattr(self, "_registrants")
        if is_first and is_mapped_data(self, "registrants", value) and is_data(value):
            held = hold_rendered(value)
            if isinstance(held, RegistrantRows):
                held.template_fields = ()
        elif is_first or not (is_running(self) or is_final(value)):
            held = hold_given(value)
        else:
            held = hold_rendered(value)
        self._registrants = held


class UnreadableRows:
    """
    What a template rendered to, where that is no JSON. It may hold people all the same, so it is not shown.

    :param why: what is wrong with it, where more can be said.
    """

    def __init__(self, why: str | None = None) -> None:
        self.why = why

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
    if value is None:
        # Nothing at all is more likely a task that failed to return than an event that nobody wants to attend.
        return UnreadableRows()
    try:
        return RegistrantRows(value)
    except ValueError as error:
        # What is raised while Airflow renders is taken for passing trouble.
        return UnreadableRows(str(error))


def is_running(task: Any) -> bool:
    """Whether Airflow has made a task ready to run, so that what it is given is what a template was rendered to."""
    return bool(getattr(task, "_lock_for_execution", False) or getattr(task, "_BaseOperator__from_mapped", False))


def is_final(value: Any) -> bool:
    """Whether nothing in a value is left for Airflow to resolve."""
    return not (is_template(value) if isinstance(value, str) else _is_unresolved(value))


def is_data(value: Any) -> bool:
    """Whether a value is at hand as it is, with nothing of other tasks in it."""
    return value is not None and not _is_unresolved(value)


def is_template(text: str) -> bool:
    """Whether Jinja has something to do in a text."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


def is_mapped_data(task: Any, argument: str, value: Any) -> bool:
    """
    Tell whether a mapped task was given a value by what it is mapped over.

    Of expand_kwargs() Airflow renders all of it, and that may well be what strangers typed into a form. Only what
    stands in ``partial()`` is certainly the author's.

    :param task: the task, while it is made.
    :param argument: which of its arguments is asked about.
    :param value: what was given.
    """
    if not getattr(task, "_BaseOperator__from_mapped", False):
        return False
    # In Airflow 2 a task does not know its own id yet.
    tasks = task.dag.tasks if task.has_dag() else ()
    return not any(value is getattr(one, "partial_kwargs", {}).get(argument) for one in tasks)


class Untemplated:
    """
    A value in which Airflow is to render nothing; it is stored and shown as it would be by itself.

    :param value: the value.
    """

    template_fields: tuple[str, ...] = ()

    def __init__(self, value: Any) -> None:
        self.value = value

    def __str__(self) -> str:
        return str(self.value)

    __repr__ = __str__


def _is_unresolved(value: Any) -> bool:
    if hasattr(value, "resolve"):
        return True
    return isinstance(value, Mapping | list | tuple) and any(True for _ in XComArg.iter_xcom_references(value))


def _as_list(rows: Any) -> Sequence[Any]:
    if isinstance(rows, list | tuple):
        # The very object: a mapped task's rows are known to Airflow by identity as no templates.
        return rows
    if hasattr(rows, "columns"):
        raise ValueError(
            f"registrants is a {type(rows).__name__}; give its rows, such as "
            "frame.astype(object).where(frame.notna(), None).to_dict('records'), which also makes None of NaN."
        )
    if isinstance(rows, Mapping | str | bytes | int) or not isinstance(rows, Iterable):
        return [rows]
    # What mapped tasks hand over is lazy: a slice takes one call, an iteration one for each element.
    return list(rows[:] if isinstance(rows, Sequence) and not isinstance(rows, deque) else rows)


def _flat(rows: Sequence[Any]) -> Sequence[Any]:
    """Return what a mapped task's instances returned as one list: each a list of rows, or where a long one is."""
    if not any(isinstance(one, list) for one in rows) or not all(_is_chunk(one) for one in rows):
        return rows
    return [row for one in rows for row in (one if isinstance(one, list) else [one])]


def _is_chunk(one: Any) -> bool:
    return all(isinstance(row, Mapping) for row in one) if isinstance(one, list) else is_reference(one)


def is_reference(one: Any) -> bool:
    """Whether this is what XCom holds in place of the rows of a long list."""
    return isinstance(one, Mapping) and "run_key" in one


def returned_rows(rows: Sequence[Any]) -> list[Any]:
    """
    Return the rows themselves, read where a reference of an enrolling task stands in their place.

    :raises ValueError: the reference's ledger cannot be reached.
    """
    from airflow_provider_teams_registration.read_enrollments import read_enrollments

    found: list[Any] = []
    for row in rows:
        found += read_enrollments(row) if is_reference(row) else [row]
    return found
