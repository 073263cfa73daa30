"""A join link in a template field. Airflow renders it, and shows and stores only that there is a link."""

from __future__ import annotations

from typing import Any

from airflow_provider_teams_registration.hooks.arguments import given
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


class MaskedJoinLink:
    """A task with the argument ``join_web_url``. Airflow does not store or show the rendered link."""

    @property
    def join_web_url(self) -> Any:
        """The link: as given, or as :class:`JoinLink` after Airflow rendered it."""
        return self._join_web_url

    @join_web_url.setter
    def join_web_url(self, value: Any) -> None:
        value = given(value)
        # Airflow stores the DAG, so anything but a template may be a link that must not be stored.
        is_first = not hasattr(self, "_join_web_url")
        is_rendered = is_mapped_data(self, "join_web_url", value) if is_first else is_running(self)
        is_link = bool(value) and isinstance(value, str) and (is_rendered or not is_template(value))
        self._join_web_url = JoinLink(value) if is_link else value
