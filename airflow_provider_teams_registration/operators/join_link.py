"""A join link inside an operator: rendered like any template field, shown as nothing but that it is one."""

from __future__ import annotations

from typing import Any


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
        # The first word is the author's and may be a template; what follows is what Airflow rendered it to.
        was_given = hasattr(self, "_join_web_url")
        self._join_web_url = JoinLink(value) if was_given and value and isinstance(value, str) else value
