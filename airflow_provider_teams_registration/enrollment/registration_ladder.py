"""The ladder: the ways of finding a webinar's registrations by address, of which a service may know any."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.graph.batch import slices
from airflow_provider_teams_registration.graph.errors import (
    GraphError,
    NotFound,
    SettingsError,
    TeamsRegistrationError,
    Unauthorized,
)
from airflow_provider_teams_registration.graph.webinar_bodies import FilterIgnored, WebinarRegistration

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.webinar import Webinar

log = logging.getLogger(__name__)

_MANY = 20
_NO_SUCH_WAY = frozenset({403, 404, 405})

_NOT_READ = (
    "The webinar's registrations cannot be read: nobody could be given a link or kept from a second registration."
)
_NOT_TOLD = "whether they are registered cannot be told: the service refuses the list of registrations, and looking up"
_NOBODY = "by address has found nobody yet, as where a service does not know that."
_CANCELLED = "their address finds a registration that was cancelled, which may hide a newer one."
_PERMISSION = (
    "It takes an application with VirtualEvent.Read.All and an application access policy for the organizer, or with "
    "the event's own VirtualEvent.Read.Chat."
)

Looked = tuple[dict[str, WebinarRegistration], dict[str, GraphError]]
"""What a look-up found, and for whom it was refused."""


@dataclass(frozen=True)
class Climbed:
    """
    What all the ways told. Whoever is in neither of the two is certainly not registered.

    :param found: registrations by address.
    :param unproved: for whom there may be one that no way showed, and why: a ``GraphError`` where all ways refused to
        look for them.
    """

    found: Mapping[str, WebinarRegistration]
    unproved: Mapping[str, TeamsRegistrationError] = field(default_factory=dict)


class RegistrationLadder:
    """
    Finds registrations by e-mail address, and remembers which ways this service accepts.

    :param webinar: the webinar.
    """

    def __init__(self, webinar: Webinar) -> None:
        self._webinar = webinar
        self._trusted: set[str] = set()
        self._refusals: dict[str, GraphError] = {}
        self._refused_addresses: dict[str, set[str]] = {}
        self._rungs: list[Callable[[Sequence[str]], Looked]] = [
            self._look_up_by_key,
            self._look_up_by_filter,
            self._look_up_in_list,
        ]

    def climb(self, emails: Sequence[str], witness: str | None = None) -> Climbed:
        """
        Find people's registrations, those that were cancelled too.

        :param emails: their addresses, in lower case.
        :param witness: the address of somebody who was registered when last heard of.
        :raises SettingsError: no way is open.
        :raises GraphError: the service is in trouble.
        """
        # One list is cheaper than many look-ups; where it is refused, they still are the way.
        rungs = [*self._rungs[-1:], *self._rungs[:-1]] if len(emails) > _MANY else list(self._rungs)
        found: dict[str, WebinarRegistration] = {}
        refusals: dict[str, GraphError] = {}
        answered: set[str] = set()
        wanted, missing = set(emails), list(emails)
        for rung in rungs:
            needs_witness = witness is not None and witness not in wanted and rung.__name__ not in self._trusted
            asked = [*missing, str(witness)] if needs_witness else missing
            some, refused = rung(asked)
            found.update((email, one) for email, one in some.items() if email in wanted)
            if self._is_unknown_to_service(rung, asked, refused):
                self._refusals[rung.__name__] = next(iter(refused.values()))
                self._rungs.remove(rung)
                log.info("This service does not let us %s.", rung.__name__.strip("_").replace("_", " "))
                continue
            if some or rung == self._look_up_in_list:
                self._trusted.add(rung.__name__)
            refusals = {**refused, **refusals}
            answered.update(email for email in missing if email not in refused)
            missing = [email for email in missing if email in refused or not self._is_told(rung, found.get(email))]
            if not missing:
                return Climbed(found)
        if self._rungs:
            only_refused = {email: self._advised(refusals[email]) for email in missing if email not in answered}
            not_told = {email: self._why_not_told(found.get(email)) for email in missing if email in answered}
            return Climbed(found, {**not_told, **only_refused})
        raise SettingsError(f"{_NOT_READ} {self._permission_to_list()}")

    def _advised(self, refusal: GraphError) -> GraphError:
        refusal.advise(
            f"The service refuses to look this address up. If it does so for all: {self._permission_to_list()}"
        )
        return refusal

    def _why_not_told(self, found: WebinarRegistration | None) -> SettingsError:
        return SettingsError(f"{_NOT_TOLD} {_NOBODY if found is None else _CANCELLED} {self._permission_to_list()}")

    def _is_told(self, rung: Callable[[Sequence[str]], Looked], found: WebinarRegistration | None) -> bool:
        """Whether a way's answer about somebody leaves nothing open."""
        if found is not None and found.is_active:
            return True
        if rung == self._look_up_in_list:
            return True
        # A way that never found anybody may be unknown to this service, and one that finds a registration which was
        # cancelled may hide a newer one.
        return found is None and rung.__name__ in self._trusted

    def _permission_to_list(self) -> str:
        refusal = self._refusals.get(self._look_up_in_list.__name__)
        return " ".join([_PERMISSION, *([f"To a list it answers {refusal.reason}."] if refusal else [])])

    def _is_unknown_to_service(
        self, rung: Callable[[Sequence[str]], Looked], asked: Sequence[str], refused: Mapping[str, GraphError]
    ) -> bool:
        """Whether a refusal is of the way, not of some addresses."""
        if any(isinstance(error, FilterIgnored) for error in refused.values()):
            return True
        if rung == self._look_up_in_list:
            return bool(refused)
        addresses = self._refused_addresses.setdefault(rung.__name__, set())
        addresses.update(refused)
        # A single 400 may be about that address.
        is_of_way = len(addresses) > 1 or any(error.status in _NO_SUCH_WAY for error in refused.values())
        return is_of_way and len(refused) == len(asked) and rung.__name__ not in self._trusted

    def _look_up_by_key(self, emails: Sequence[str]) -> Looked:
        return self._look_up_by(emails, by_filter=False)

    def _look_up_by_filter(self, emails: Sequence[str]) -> Looked:
        return self._look_up_by(emails, by_filter=True)

    def _look_up_by(self, emails: Sequence[str], *, by_filter: bool) -> Looked:
        found: dict[str, WebinarRegistration] = {}
        refused: dict[str, GraphError] = {}
        for some in slices(emails):
            answers = self._webinar.registrations_by_email(some, by_filter=by_filter)
            for email, answer in zip(some, answers, strict=True):
                if isinstance(answer, WebinarRegistration):
                    found[email] = answer
                elif isinstance(answer, GraphError) and is_refusal(answer):
                    # Whoever is not there is an empty list to a filter.
                    if by_filter or not isinstance(answer, NotFound):
                        refused[email] = answer
                elif answer is not None:
                    raise answer
        return found, refused

    def _look_up_in_list(self, emails: Sequence[str]) -> Looked:
        wanted, found = set(emails), dict[str, WebinarRegistration]()
        try:
            for one in self._webinar.registrations():
                if one.email in wanted and not (one.email in found and found[one.email].is_active):
                    found[one.email] = one
        except GraphError as error:
            if not is_refusal(error):
                raise
            return {}, dict.fromkeys(emails, error)
        return found, {}


def is_refusal(error: GraphError) -> bool:
    """Whether it says no to what was asked, not to who asks or for now."""
    return not error.transient and not isinstance(error, Unauthorized)
