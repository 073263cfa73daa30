"""The kinds of fields that the connection form has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ConnectionField:
    """
    One extra of the connection, as the form shows it.

    :param label: what stands beside it.
    :param description: help below it.
    :param kind: its JSON schema type.
    :param default: what holds when it is left empty, where the form should show it.
    :param choices: the values to choose from; none means free text.
    :param is_secret: whether it is typed blind and masked. Airflow masks it where its name says so, too.
    :param examples: values that the form suggests.
    """

    label: str
    description: str
    kind: str = "string"
    default: Any = None
    choices: tuple[str, ...] = ()
    is_secret: bool = False
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True)
class StandardField:
    """
    A field that every Airflow connection has, as this form names it.

    :param label: what stands beside it.
    :param placeholder: what stands in it while it is empty.
    """

    label: str
    placeholder: str
