"""Rows of people in a template field. Airflow renders them, and shows and stores only how many there are."""

from __future__ import annotations

import json
from collections.abc import Iterator, KeysView, Mapping, Sequence, ValuesView
from typing import Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_teams_registration.hooks.failures import PermanentFailure, failures_for_airflow
from airflow_provider_teams_registration.xcom.one_list import UnreadableRegistrants, one_list, tuples_as_lists


class RegistrantRows:
    """
    The registrants of one task.

    Airflow stores and shows the rendered value of a template field. It stores an object of this class as ``str()``,
    which is a count, and renders its rows through :attr:`template_fields`.

    :param rows: dicts of column and value, or plain ids; also one of them, or any iterable. Nested lists, such as the
        results of several tasks, are flattened, and None is ignored.
    """

    template_fields: tuple[str, ...] = ("rows",)

    def __init__(self, rows: Any) -> None:
        self.rows = one_list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        from airflow_provider_teams_registration.core.report import count_registrants

        return count_registrants(len(self.rows))

    __repr__ = __str__


class MaskedRegistrants:
    """A task with the argument ``registrants``. Airflow stores and shows only the number of registrants."""

    _registrants: Any

    def _hook_apply_defaults(self, **kwargs: Any) -> tuple[tuple[()], dict[str, Any]]:
        """Read a generator before Airflow keeps the task's arguments, because Airflow copies and pickles them."""
        given = kwargs.get("registrants")
        if isinstance(given, Iterator | KeysView | ValuesView):
            kwargs["registrants"] = list(given)
        return (), kwargs

    @property
    def registrants(self) -> Any:
        """The people: as given, or as :class:`RegistrantRows` after Airflow rendered them."""
        return self._registrants

    @registrants.setter
    def registrants(self, value: Any) -> None:
        # The first value is the author's, which may be a template. Later, Airflow assigns the rendered value.
        is_first = not hasattr(self, "_registrants")
        if is_first and is_mapped_data(self, "registrants", value) and is_data(value):
            held = mask_rendered(value)
            if isinstance(held, RegistrantRows):
                held.template_fields = ()
        elif is_first or not (is_running(self) or is_final(value)):
            held = mask_given(value)
        else:
            held = mask_rendered(value, self._registrants)
        self._registrants = held


class UnreadableRows:
    """
    The rendered text of a template that is not JSON. It may still hold people, so it is not shown.

    :param why: what is wrong with it, if that is known.
    """

    def __init__(self, why: str | None = None) -> None:
        self.why = why

    def __str__(self) -> str:
        return "no registrants that can be read"

    __repr__ = __str__


def mask_given(value: Any) -> Any:
    """
    Wrap the value that a DAG's author gave for a template field.

    A value that Airflow still has to resolve stays as it is: a Jinja string, an XComArg, a container with an XComArg.
    """
    if isinstance(value, Iterator):
        # The iterator may yield other tasks. Airflow finds them only in a list.
        value = list(value)
    if value is None or isinstance(value, str | RegistrantRows) or _is_unresolved(value):
        return value
    return RegistrantRows(value)


def mask_rendered(value: Any, given: Any = None) -> RegistrantRows | UnreadableRows:
    """
    Wrap the rendered value of a template field. A Jinja string renders to a text, which must be JSON.

    :param value: the value that Airflow rendered.
    :param given: the value before Airflow rendered it, if it is known.
    """
    if isinstance(value, UnreadableRows):
        return value
    if isinstance(value, RegistrantRows):
        # Airflow may have rendered a template in it to a list.
        value = value.rows
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return UnreadableRows()
    if value is None:
        # More likely, a task returned nothing by mistake than nobody wants to attend the event.
        return UnreadableRows()
    try:
        return RegistrantRows(tuples_as_lists(given, value))
    except UnreadableRegistrants as error:
        # Airflow would retry the task if this raised while it renders.
        return UnreadableRows(str(error))


def is_running(task: Any) -> bool:
    """Return whether Airflow has prepared a task to run, so that assigned values are rendered values."""
    return bool(getattr(task, "_lock_for_execution", False) or getattr(task, "_BaseOperator__from_mapped", False))


def is_final(value: Any) -> bool:
    """Return whether Airflow has nothing to resolve in a value."""
    return not (is_template(value) if isinstance(value, str) else _is_unresolved(value))


def is_data(value: Any) -> bool:
    """Return whether a value is complete, without references to other tasks."""
    return value is not None and not _is_unresolved(value)


def is_template(text: str) -> bool:
    """Return whether a text is a Jinja template."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


def is_mapped_data(task: Any, argument: str, value: Any) -> bool:
    """
    Return whether a mapped task got a value from the data that it is mapped over.

    Airflow renders all values of ``expand_kwargs()``, and strangers may have typed them into a form. Only the values in
    ``partial()`` are certainly the author's.

    :param task: the task, while it is created.
    :param argument: the argument's name.
    :param value: the argument's value.
    """
    if not getattr(task, "_BaseOperator__from_mapped", False):
        return False
    # In Airflow 2 the task has no id yet.
    tasks = task.dag.tasks if task.has_dag() else ()
    return not any(value is getattr(one, "partial_kwargs", {}).get(argument) for one in tasks)


class Untemplated:
    """
    A value in which Airflow must render nothing. Airflow stores and shows it like the value itself.

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


_REFERENCE = frozenset({"ledger_conn_id", "ledger_table", "run_key", "attempt"})


def returned_rows(rows: Sequence[Any]) -> list[Any]:
    """
    Return the rows, and read those to which an enrolling task returned a reference.

    :param rows: rows, and references that XCom holds instead of the rows of a long list.
    :raises TransientFailure: the ledger's database failed, or a newer attempt of the enrolling task has started.
    :raises PermanentFailure: the ledger cannot be reached, or another version of this package wrote the rows.
    """
    from airflow_provider_teams_registration.read_enrollments import read_enrollments

    found: list[Any] = []
    for row in rows:
        if not (isinstance(row, Mapping) and row.keys() >= _REFERENCE):
            found.append(row)
            continue
        try:
            with failures_for_airflow():
                found += read_enrollments(row)
        except ValueError as error:
            raise PermanentFailure(str(error)) from None
    return found
