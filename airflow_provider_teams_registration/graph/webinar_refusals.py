"""What to do when Graph refuses a request about a webinar: which permission, policy or argument may be at fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar, cast

from airflow_provider_teams_registration.exceptions import (
    AccessPolicyMissing,
    Forbidden,
    NotFound,
    grant_access_policy,
    names_access_policy,
    organizer_named,
)
from airflow_provider_teams_registration.graph.arguments import name_arguments

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.settings import GraphSettings

T = TypeVar("T")

_POLICY = "an application access policy for the organizer"
READ_ALL = "VirtualEvent.Read.All"
TO_READ = f"{READ_ALL} with {_POLICY}, or the event's own VirtualEvent.Read.Chat (resource-specific consent)"
TO_REGISTER = (
    f"VirtualEventRegistration-Anon.ReadWrite.All with {_POLICY}, or the event's own "
    "VirtualEventRegistration-Anon.ReadWrite.Chat (resource-specific consent)"
)
TO_CANCEL = (
    "the event's own VirtualEventRegistration-Anon.ReadWrite.Chat (resource-specific consent), or where the service "
    "accepts it VirtualEventRegistration-Anon.ReadWrite.All"
)


class WebinarRefusals:
    """
    Adds advice to the errors of requests about one webinar.

    :param settings: the settings of the session that makes the requests.
    :param webinar_id: the webinar's ``id``, as the caller named it.
    """

    def __init__(self, settings: GraphSettings, webinar_id: str) -> None:
        self._settings = settings
        self._webinar_id = webinar_id

    @contextmanager
    def explained(self, needed: str) -> Iterator[None]:
        """
        Add advice to the refusal that the block raises.

        :param needed: the permission that the request needs, one of the texts above.
        """
        try:
            yield
        except (Forbidden, NotFound) as error:
            explained = self.explain(error, needed)
            if not self._settings.signs_in_a_user and not isinstance(explained, AccessPolicyMissing):
                # Graph hides a webinar as well as it refuses it.
                policy = grant_access_policy(self._settings.client_id, None)
                explained.advise(
                    f"{explained.advice} The organizer's application access policy must also name the app. {policy}"
                )
            raise explained from None

    def explain(self, answer: T, needed: str) -> T:
        """
        Return an answer. If it is a refusal, add advice to it.

        :param answer: what a request gave: a value, or the error that stands for it.
        :param needed: the permission that the request needs, one of the texts above.
        :return: the answer, or :class:`AccessPolicyMissing` for a refusal that names the access policy.
        """
        if isinstance(answer, Forbidden):
            who = (
                "user needs VirtualEvent.ReadWrite" if self._settings.signs_in_a_user else f"application needs {needed}"
            )
            advice = f"Where this is about permissions: the {who}."
            if not self._settings.signs_in_a_user and names_access_policy(answer):
                missing = AccessPolicyMissing(
                    answer,
                    organizer_id=organizer_named(answer),
                    client_id=self._settings.client_id,
                )
                missing.advise(f"{missing.advice} {advice}")
                return cast("T", missing)
            answer.advise(advice)
        if isinstance(answer, NotFound):
            name_arguments(answer, {"webinar_id": self._webinar_id})
        return answer
