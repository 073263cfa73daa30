"""A join link in a template field. Airflow renders it, and shows and stores only that there is a link."""

from __future__ import annotations

from typing import Any

from airflow_provider_teams_registration.graph.arguments import LINKS, looks_like
from airflow_provider_teams_registration.graph.event_link import read_event_link
from airflow_provider_teams_registration.hooks.arguments import TextArgument, given
from airflow_provider_teams_registration.xcom.masked_rows import is_mapped_data, is_running, is_template


class JoinLink:
    """
    A link that Airflow stores and shows as ``a link``.

    :param url: the link, a credential.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def __str__(self) -> str:
        return "a link"

    __repr__ = __str__


class JoinLinkArgument(TextArgument):
    """
    A text argument that takes a join link. Airflow does not store or show a rendered link.

    :param absent: the value of the attribute if the argument is not given. Default None.
    """

    def __set__(self, task: Any, value: Any) -> None:
        text = given(value)
        # Airflow stores the DAG, so anything but a template may be a link that must not be stored.
        is_first = self._name not in task.__dict__
        is_rendered = is_mapped_data(task, self._name, value) if is_first else is_running(task)
        is_final = isinstance(text, str) and (is_rendered or not is_template(text))
        super().__set__(task, JoinLink(text) if is_final and self._may_be_link(text) else text)

    def _may_be_link(self, text: str) -> bool:
        return True


class EventIdArgument(JoinLinkArgument):
    """
    A text argument that takes an event's id, or a link to the event. Airflow does not store or show a rendered link.

    :param absent: the value of the attribute if the argument is not given. Default None.
    """

    def _may_be_link(self, text: str) -> bool:
        return looks_like(text) in LINKS or read_event_link(text) is not None


def unmasked(value: Any) -> Any:
    """Return an argument as it was given, with the link of a :class:`JoinLink`."""
    return value.url if isinstance(value, JoinLink) else value
