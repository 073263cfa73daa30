"""Which arguments of an operator that enrolls cannot be right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected

if TYPE_CHECKING:
    from airflow_provider_teams_registration.core.outcome import Outcome
    from airflow_provider_teams_registration.operators.enrolling import EnrollingOperator

_ON_MISSING = ("fail", "ignore", "re_enroll")


def check_arguments(operator: EnrollingOperator) -> None:
    """
    Refuse, when the DAG is parsed, what cannot be right.

    :param operator: the operator, with its arguments in place. What is a template is read once it is rendered.
    :raises ValueError: says which argument, and what it must be.
    """
    read_outcomes(operator.success_outcomes)
    for name, least in (("max_parallel_requests", 1), ("xcom_limit", 0)):
        value = getattr(operator, name)
        if not isinstance(value, int) or value < least:
            raise ValueError(f"{name} is {value!r}; it must be a whole number from {least}.")
    for name in ("settle_after", "defer_over"):
        refuse_wrong_seconds(name, getattr(operator, name))
    if operator.on_missing_join_url not in _ON_MISSING:
        raise ValueError(
            f"on_missing_join_url is {operator.on_missing_join_url!r}; it must be one of {', '.join(_ON_MISSING)}."
        )
    # A template, or another task's result, is read once it is rendered.
    is_given = isinstance(operator.max_rejected, int | float) or "{" not in str(operator.max_rejected)
    if isinstance(operator.max_rejected, int | float | str) and is_given:
        MaxRejected.read(operator.max_rejected)


def refuse_wrong_seconds(name: str, value: object) -> None:
    """
    Refuse an argument that is no number of seconds.

    :param name: the argument.
    :param value: what was given.
    :raises ValueError: the value is no number, or below 0.
    """
    if not isinstance(value, int | float) or not value >= 0:
        raise ValueError(f"{name} is {value!r}; it must be a number of seconds from 0.")


def read_outcomes(names: Sequence[str]) -> frozenset[Outcome]:
    """
    Read outcomes by name.

    :raises ValueError: there is no such outcome.
    """
    from airflow_provider_teams_registration.core.outcome import Outcome

    known = [outcome.value for outcome in Outcome]
    wrong = [names] if isinstance(names, str) else [name for name in names if name not in known]
    if wrong:
        raise ValueError(f"success_outcomes holds {wrong[0]!r}; it must be a list of {', '.join(known)}.")
    return frozenset(Outcome(name) for name in names)
