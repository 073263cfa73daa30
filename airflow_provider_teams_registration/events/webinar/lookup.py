"""Find a webinar's registrations by address, with the lookup strategies that the service accepts, in order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.exceptions import (
    GraphError,
    NotFound,
    SettingsError,
    TeamsRegistrationError,
    Unauthorized,
)
from airflow_provider_teams_registration.graph.webinar_registration_bodies import FilterIgnored, WebinarRegistration

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.webinar import Webinar

log = logging.getLogger(__name__)

_MANY = 20
_NOT_SUPPORTED = frozenset({403, 404, 405})

_NOT_READ = (
    "Graph does not let this connection read the webinar's registrations. Without them, this run could not return "
    "links or prevent second registrations."
)
_CANNOT_TELL = "cannot tell whether this person is registered: Graph refuses to list registrations, and lookups"
_NOBODY = "by address have found nobody so far, possibly because Graph does not support them."
_CANCELLED = "by address find a cancelled registration, which may hide a newer one."
_PERMISSION = (
    "It needs an application with VirtualEvent.Read.All and an application access policy for the organizer, or with "
    "the event's own VirtualEvent.Read.Chat."
)


class Nameless(GraphError):
    """The list shows active registrations without an address: a person who is not found may be one of them."""

    def __init__(self) -> None:
        super().__init__(
            200,
            "",
            "The list of registrations shows some without an e-mail address, so it proves nobody absent.",
        )


Looked = tuple[dict[str, WebinarRegistration], dict[str, GraphError]]
"""The registrations that a lookup found, and the people for whom Graph refused it."""


@dataclass(frozen=True)
class LookupResult:
    """
    The result of all strategies. A person in neither mapping is certainly not registered.

    :param found: registrations by address.
    :param inconclusive: for people who may have a registration that no strategy showed, by address, the reason: a
        ``GraphError`` if Graph refused all strategies.
    """

    found: Mapping[str, WebinarRegistration]
    inconclusive: Mapping[str, TeamsRegistrationError] = field(default_factory=dict)


class RegistrationLookup:
    """
    Finds registrations by e-mail address, and remembers which strategies Graph accepts.

    :param webinar: the webinar.
    :param off: ids of registrations that are certainly cancelled, although a read may still show them as active. The
        caller may add to it.
    """

    def __init__(self, webinar: Webinar, off: Container[str] = ()) -> None:
        self._webinar = webinar
        self._off = off
        self._external_ids: dict[str, str] = {}
        self._people: dict[str, str] = {}
        self._trusted: set[str] = set()
        self._refusals: dict[str, GraphError] = {}
        self._refused_addresses: dict[str, set[str]] = {}
        self._strategies: list[Callable[[Sequence[str]], Looked]] = [
            self._look_up_by_key,
            self._look_up_by_filter,
            self._look_up_in_list,
        ]

    def recognise(self, email: str, external_id: str) -> None:
        """
        Recognise a person by the caller's own id if Graph returns another spelling of their address.

        :param email: the person's address, in lower case.
        :param external_id: the caller's own id of the person. An id that several people have is not used.
        """
        first = self._people.setdefault(external_id, email)
        if first == email:
            self._external_ids[email] = external_id
        else:
            self._external_ids.pop(first, None)

    def find(self, emails: Sequence[str], control: str | None = None) -> LookupResult:
        """
        Find people's registrations, including cancelled ones.

        :param emails: the people's addresses, in lower case.
        :param control: the address of a person who was registered when we last checked. A strategy that finds this
            person is known to work.
        :raises SettingsError: Graph refuses all strategies.
        :raises GraphError: Graph fails for now.
        """
        # For many people one list is cheaper than lookups. They remain the fallback if Graph refuses the list.
        strategies = [*self._strategies[-1:], *self._strategies[:-1]] if len(emails) > _MANY else list(self._strategies)
        found: dict[str, WebinarRegistration] = {}
        refusals: dict[str, GraphError] = {}
        answered: set[str] = set()
        wanted, missing = set(emails), list(emails)
        for strategy in strategies:
            needs_control = control is not None and control not in wanted and strategy.__name__ not in self._trusted
            asked = [*missing, str(control)] if needs_control else missing
            some, refused = strategy(asked)
            found.update((email, one) for email, one in some.items() if email in wanted)
            if self._is_unsupported(strategy, asked, refused):
                self._refusals[strategy.__name__] = next(iter(refused.values()))
                self._strategies.remove(strategy)
                log.info("Graph does not let this connection %s.", strategy.__name__.strip("_").replace("_", " "))
                continue
            if some or strategy == self._look_up_in_list:
                self._trusted.add(strategy.__name__)
            refusals = {**refused, **refusals, **_nameless(refused)}
            answered.update(email for email in missing if email not in refused)
            missing = [
                email for email in missing if email in refused or not self._is_conclusive(strategy, found.get(email))
            ]
            if not missing:
                return LookupResult(found)
        if self._strategies:
            only_refused = {email: error for email, error in refusals.items() if email not in answered}
            why = {**only_refused, **_nameless(refusals)}
            inconclusive = {email: self._why_inconclusive(found.get(email), why.get(email)) for email in missing}
            return LookupResult(found, inconclusive)
        raise SettingsError(f"{_NOT_READ} {self._permission_to_list()}")

    def _why_inconclusive(
        self, found: WebinarRegistration | None, refusal: GraphError | None
    ) -> TeamsRegistrationError:
        if refusal is None:
            said = _NOBODY if found is None else _CANCELLED
            return SettingsError(f"{_CANNOT_TELL} {said} {self._permission_to_list()}")
        if not isinstance(refusal, Nameless):
            refusal.advise(
                f"Graph refuses to look up this address. If it refuses all addresses: {self._permission_to_list()}"
            )
        return refusal

    def _is_conclusive(self, strategy: Callable[[Sequence[str]], Looked], found: WebinarRegistration | None) -> bool:
        """Return whether a strategy's answer about a person is conclusive."""
        if found is not None and self._is_on(found):
            return True
        if strategy == self._look_up_in_list:
            return True
        # Graph may not support a strategy that never found anybody, and a cancelled registration may hide a newer one.
        return found is None and strategy.__name__ in self._trusted

    def _permission_to_list(self) -> str:
        refusal = self._refusals.get(self._look_up_in_list.__name__)
        if refusal is None:
            return _PERMISSION
        # A 404 may be about the webinar itself. Its advice says which argument to check.
        advice = [refusal.advice] if isinstance(refusal, NotFound) else []
        return " ".join([_PERMISSION, f"Graph answers the list with {refusal.reason}.", *advice])

    def _is_unsupported(
        self, strategy: Callable[[Sequence[str]], Looked], asked: Sequence[str], refused: Mapping[str, GraphError]
    ) -> bool:
        """Return whether Graph refused the strategy, and not some addresses."""
        if any(isinstance(error, FilterIgnored) for error in refused.values()):
            return True
        if strategy == self._look_up_in_list:
            return any(not isinstance(error, Nameless) for error in refused.values())
        addresses = self._refused_addresses.setdefault(strategy.__name__, set())
        addresses.update(refused)
        # A single 400, or a refusal by a gateway, may be about that address.
        is_about_strategy = len(addresses) > 1 or any(
            error.status in _NOT_SUPPORTED and not error.refused_together for error in refused.values()
        )
        return is_about_strategy and len(refused) == len(asked) and strategy.__name__ not in self._trusted

    def _look_up_by_key(self, emails: Sequence[str]) -> Looked:
        return self._look_up_by(emails, by_filter=False)

    def _look_up_by_filter(self, emails: Sequence[str]) -> Looked:
        return self._look_up_by(emails, by_filter=True)

    def _look_up_by(self, emails: Sequence[str], *, by_filter: bool) -> Looked:
        found: dict[str, WebinarRegistration] = {}
        refused: dict[str, GraphError] = {}
        answers = self._webinar.registrations_by_email(
            emails, by_filter=by_filter, external_ids=self._external_ids, off=self._off
        )
        for email, answer in zip(emails, answers, strict=True):
            if isinstance(answer, WebinarRegistration):
                found[email] = answer
            elif isinstance(answer, GraphError) and is_refusal(answer):
                # For a person who is not registered, Graph answers a key with 404 and a filter with an empty list. A
                # 404 for the whole call is about no person.
                if by_filter or answer.refused_together or not isinstance(answer, NotFound):
                    refused[email] = answer
            elif answer is not None:
                raise answer
        return found, refused

    def _look_up_in_list(self, emails: Sequence[str]) -> Looked:
        wanted, found = set(emails), dict[str, WebinarRegistration]()
        by_external_id = {self._external_ids[email]: email for email in emails if email in self._external_ids}
        is_anybody_nameless = False
        try:
            for one in self._webinar.registrations():
                is_anybody_nameless = is_anybody_nameless or (not one.email and self._is_on(one))
                email = one.email if one.email in wanted else by_external_id.get(one.registration_id or "", "")
                if email in wanted and not (email in found and self._is_on(found[email])):
                    found[email] = one
        except GraphError as error:
            if not is_refusal(error):
                raise
            return {}, dict.fromkeys(emails, error)
        absent = [email for email in emails if email not in found or not self._is_on(found[email])]
        return found, (dict.fromkeys(absent, Nameless()) if is_anybody_nameless else {})

    def _is_on(self, one: WebinarRegistration) -> bool:
        return one.is_active and one.id not in self._off


def _nameless(refusals: Mapping[str, GraphError]) -> dict[str, GraphError]:
    """Return the refusals that outweigh other strategies: a registration without address may be the person's."""
    return {email: error for email, error in refusals.items() if isinstance(error, Nameless)}


def is_refusal(error: GraphError) -> bool:
    """Return whether Graph refused the request itself, and not the sign-in, and not only for now."""
    return not error.transient and not isinstance(error, Unauthorized)
