"""A join link inside an operator: rendered like any template field, shown as nothing but that it is one."""

from __future__ import annotations

from typing import Any

from airflow_provider_teams_registration.operators.rows import is_mapped_data, is_running, is_template


class JoinLink:
    """
    A link, which Airflow stores and shows as no more than that.

    :param url: the link, a credential.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def __str__(self) -> str:
        return "a link"

    __repr__ = __str__


class HoldsJoinLink:
    """A task that is given a join link, and holds it so that Airflow does not store and show what it rendered."""

    @property
    def join_web_url(self) -> Any:
        """The link, as it was given or, once rendered, as :class:`JoinLink`."""
        return self._join_web_url

    @join_web_url.setter
    def join_web_url(self, value: Any) -> None:
        # Only a template is to stay as it is until it is rendered: all else may be a link, and a DAG is stored.
        is_first = not hasattr(self, "_join_web_url")
        is_rendered = is_mapped_data(self, "join_web_url", value) if is_first else is_running(self)
        is_link = bool(value) and isinstance(value, str) and (is_rendered or not is_template(value))
        self._join_web_url = JoinLink(value) if is_link else value
