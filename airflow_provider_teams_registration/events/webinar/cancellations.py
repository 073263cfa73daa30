"""Cancel registrations of a webinar, and tell which of them are cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.events.base import Lookup, Registrant
from airflow_provider_teams_registration.events.webinar.lookup import LookupResult
from airflow_provider_teams_registration.events.webinar.status import outcome_of, remote_registration
from airflow_provider_teams_registration.exceptions import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    TeamsRegistrationError,
)
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.webinar_registration_bodies import WebinarRegistration


class Cancellations:
    """
    The registrations that one run cancels.

    :meth:`lookup` takes in what a lookup found. :meth:`cancel` then cancels it.

    :param webinar: the webinar.
    :ivar confirmed: ids of the registrations whose cancellation Graph confirmed.
    """

    def __init__(self, webinar: Webinar) -> None:
        self._webinar = webinar
        self._found: dict[str, WebinarRegistration] = {}
        self._requested: set[str] = set()
        self.confirmed: set[str] = set()

    def lookup(self, result: LookupResult) -> Lookup:
        """
        Return which people are still registered, and keep their registrations for :meth:`cancel`.

        :param result: the registrations that a lookup found, by key.
        :return: the registrations, without links, and the keys that the lookup proves nothing of.
        """
        there = {key: one for key, one in result.found.items() if one.is_active and one.id not in self.confirmed}
        self._found.update(there)
        # A cancelled registration proves that the person is off only if we cancelled it: another lookup may show a
        # newer registration than one that was cancelled before.
        off = {key for key, one in result.found.items() if key not in there and one.id in self._requested}
        untold = {key: why for key, why in result.inconclusive.items() if key not in there and key not in off}
        return Lookup({key: [remote_registration(one, None)] for key, one in there.items()}, untold)

    def cancel(self, registrants: Sequence[Registrant]) -> dict[str, TeamsRegistrationError | None]:
        """
        Cancel, in one call, the registration of each person that :meth:`lookup` found last.

        :param registrants: up to 20 people.
        :return: by key, None or the error. People without a found registration are left out.
        """
        there = {one.key: self._found[one.key] for one in registrants if one.key in self._found}
        in_rows = [value for one in registrants for value in one.row.values() if isinstance(value, str)]
        # No error text is to repeat what the rows or the registrations hold.
        personal = [*in_rows, *(text for one in there.values() for text in one.personal)]
        ids = [one.id for one in there.values()]
        self._requested.update(ids)
        answered = self._webinar.cancel_all(ids, personal=personal) if ids else []
        answers = self._settled(there, dict(zip(there, answered, strict=True)))
        for key, one in there.items():
            if answers[key] is None:
                self.confirmed.add(one.id)
                self._found.pop(key, None)
        return answers

    def _settled(
        self, there: Mapping[str, WebinarRegistration], answers: Mapping[str, TeamsRegistrationError | None]
    ) -> dict[str, TeamsRegistrationError | None]:
        """Return the answers to cancellations, without the refusals to cancel what is cancelled already."""
        settled = dict(answers)
        doubtful = {key: one.id for key, one in there.items() if _may_be_off(answers[key])}
        seen = zip(doubtful, self._webinar.registrations_by_id(list(doubtful.values())), strict=True)
        settled.update((key, None) for key, one in seen if isinstance(one, WebinarRegistration) and not one.is_active)
        # The organizer has declined these people, so they are off already.
        declined = [key for key, one in there.items() if outcome_of(one.status) is Outcome.DECLINED]
        settled.update((key, None) for key in declined if isinstance(settled[key], BadRequest | Conflict | Forbidden))
        return settled


def _may_be_off(answer: TeamsRegistrationError | None) -> bool:
    """Return whether Graph may have refused a cancellation because the registration is already cancelled."""
    return isinstance(answer, BadRequest | Conflict | NotFound) and not answer.refused_together
