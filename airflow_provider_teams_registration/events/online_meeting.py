"""An online meeting, as an event that the runner can use."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.core.event_facts import EventFacts
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.registration import ListedRegistration, RemoteRegistration
from airflow_provider_teams_registration.events.base import InvalidRow, Lookup, NotOnTheEvent, Registrant
from airflow_provider_teams_registration.events.online_meeting_row import read_registrant
from airflow_provider_teams_registration.events.registrant_id import folded_id, read_id
from airflow_provider_teams_registration.exceptions import NotFound, SettingsError, TeamsRegistrationError
from airflow_provider_teams_registration.graph.batch import MAX_BATCH
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import AUDIENCES

if TYPE_CHECKING:
    from airflow_provider_teams_registration.events.reference import EventRef
    from airflow_provider_teams_registration.graph.meeting_info import MeetingInfo
    from airflow_provider_teams_registration.graph.rate_limit import RateLimiter
    from airflow_provider_teams_registration.graph.session import GraphSession

log = logging.getLogger(__name__)

_LONGEST_WAIT_FOR_LINK = 2.0

_Listed = dict[str, list[tuple[str, RemoteRegistration]]]
"""Ids as the service lists them, with what it shows, by :func:`folded_id`."""


_LISTED_OTHERWISE = SettingsError(
    "The meeting lists somebody under another spelling of this id, who may be the same person. Nobody was taken off. "
    "Name the id as the list spells it."
)


class MeetingEvent:
    """
    An online meeting.

    Rows need ``id``. If the registration is open only to the organization, they also need ``tenant_id`` and
    ``user_id``.

    :param meeting: the meeting.
    :param rate_limiter: the rate limit of its session.
    """

    batch_size = MAX_BATCH
    links_are_readable = False
    removes_by_key = True

    def __init__(self, meeting: OnlineMeeting, rate_limiter: RateLimiter) -> None:
        self._meeting = meeting
        self.id = meeting.meeting_id
        self.rate_limiter = rate_limiter
        self._allowed_registrant = ""
        self._threads: ThreadPoolExecutor | None = None
        self._info: Future[MeetingInfo] | None = None
        self._listed: Future[Iterator[tuple[str, RemoteRegistration]]] | None = None
        self._present: _Listed | None = None
        self._reading = threading.Lock()
        self._keys: set[str] = set()
        self._listed_otherwise: dict[str, list[str]] = {}

    def prepare(self) -> None:
        """Read the registration's audience, and start to read the meeting's own link and its registrants."""
        self._allowed_registrant = self._meeting.registration().allowed_registrant
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="prepare")
        self._info = self._threads.submit(self._read_info)
        self._listed = self._threads.submit(self._begin_list)

    def remembered(self) -> Any:
        """Return the registration's audience."""
        return self._allowed_registrant or None

    def restore(self, remembered: Any) -> bool:
        """Take the registration's audience. The meeting's own link and its registrants are not read again."""
        if remembered not in AUDIENCES:
            return False
        self._allowed_registrant = str(remembered)
        return True

    def close(self) -> None:
        """Start no further read, and do not wait for the running ones."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)

    @property
    def own_link(self) -> str | None:
        """The meeting's own link, a credential; None if Graph does not return it within two seconds."""
        info = self._wait_for_info()
        return info.join_web_url if info else None

    @property
    def facts(self) -> EventFacts | None:
        """What the meeting is called and when it is; None if Graph does not say so within two seconds."""
        info = self._wait_for_info()
        return info.facts(self.id) if info else None

    def _read_info(self) -> MeetingInfo:
        info = self._meeting.info(once=True)
        log.info("The meeting is %s.", info.facts(self.id).sentence())
        return info

    def _wait_for_info(self) -> MeetingInfo | None:
        if self._info is None:
            return None
        try:
            return self._info.result(_LONGEST_WAIT_FOR_LINK)
        except (TeamsRegistrationError, NotYet) as error:
            log.debug("No link to the meeting: %s", error)
            return None

    def read(self, position: int, row: Mapping[str, Any]) -> Registrant:
        """Read a row as a registrant of the registration's audience."""
        registrant = read_registrant(row, self._allowed_registrant)
        self._keys.add(registrant.id)
        return Registrant(position, row, registrant.id, registrant)

    def enroll(self, registrants: Sequence[Registrant]) -> list[RemoteRegistration | TeamsRegistrationError]:
        """Enroll up to 20 people in one call."""
        answers = self._meeting.enroll([registrant.body for registrant in registrants])
        return [
            answer
            if isinstance(answer, TeamsRegistrationError)
            else RemoteRegistration(Outcome.ENROLLED, answer.join_web_url)
            for answer in answers
        ]

    def cancel(self, registrants: Sequence[Registrant]) -> list[TeamsRegistrationError | None]:
        """
        Take up to 20 people off the meeting in one call.

        A 404 counts as proof where the registration is there, and the list shows the person in no other spelling.
        """
        answers = self._cancel_in_any_spelling([registrant.key for registrant in registrants])
        absent = [one for one, answer in zip(registrants, answers, strict=True) if _is_of_one(answer)]
        if not absent:
            return answers
        why: TeamsRegistrationError = NotOnTheEvent("not on the meeting")
        listed = {key for key, ids in self._listed_otherwise.items() if ids}
        try:
            self._meeting.registration()
            if self._threads is None:
                # Nobody is enrolled with this event, so its list has not been read.
                listed = self._in_other_spelling(absent)
        except TeamsRegistrationError as error:
            why = error
        reasons = {one.key: _LISTED_OTHERWISE if one.key in listed else why for one in absent}
        return [reasons.get(one.key, answer) for one, answer in zip(registrants, answers, strict=True)]

    def _cancel_in_any_spelling(self, keys: Sequence[str]) -> list[TeamsRegistrationError | None]:
        """Take people off in their own spelling, or else in the one in which they are listed."""
        answers = self._meeting.cancel_all(keys)
        others = {
            place: self._listed_otherwise[key][-1]
            for place, key in enumerate(keys)
            if _is_of_one(answers[place]) and self._listed_otherwise.get(key)
        }
        if others:
            for place, answer in zip(others, self._meeting.cancel_all(list(others.values())), strict=True):
                answers[place] = answer
                if answer is None:
                    self._listed_otherwise[keys[place]].pop()
        return answers

    def present(self, registrants: Sequence[Registrant]) -> Lookup:
        """Read the list once. It holds for the whole input, because each person comes up once."""
        return self._lookup(self._read_once(), registrants)

    def _read_once(self) -> _Listed:
        with self._reading:
            if self._present is None:
                self._present = self._by_spelling(self._listed.result() if self._listed else self._everybody())
            return self._present

    def _in_other_spelling(self, registrants: Sequence[Registrant]) -> set[str]:
        """Return the keys that the list shows only in another spelling, which nobody of this input has."""
        found = self._read_once()
        ids = {one.key: {id_ for id_, _ in found.get(folded_id(one.key), [])} for one in registrants}
        return {key for key, spelled in ids.items() if key not in spelled and spelled - self._keys}

    def find(self, registrants: Sequence[Registrant], control: Registrant | None = None) -> Lookup:
        """Read the whole list, because Graph documents no request that reads one registrant."""
        wanted = {folded_id(registrant.key) for registrant in registrants}
        listed = ((id_, one) for id_, one in self._everybody() if folded_id(id_) in wanted)
        return self._lookup(self._by_spelling(listed), registrants)

    def find_to_cancel(self, registrants: Sequence[Registrant]) -> Lookup:
        """Read the whole list. Somebody who is listed in another spelling may be another person, or the same."""
        wanted = {folded_id(registrant.key) for registrant in registrants}
        newest = self._by_spelling((id_, one) for id_, one in self._everybody() if folded_id(id_) in wanted)
        with self._reading:
            if self._present is not None:
                self._present.update((folded, newest.get(folded, [])) for folded in wanted)
        found: dict[str, list[RemoteRegistration]] = {}
        otherwise: dict[str, TeamsRegistrationError] = {}
        for key in (registrant.key for registrant in registrants):
            listed = newest.get(folded_id(key), [])
            if own := [one for id_, one in listed if id_ == key]:
                found[key] = own
            elif any(id_ not in self._keys for id_, _ in listed):
                otherwise[key] = _LISTED_OTHERWISE
        return Lookup(found, otherwise)

    def listed(self, keys: Collection[str]) -> Mapping[str, Sequence[ListedRegistration]]:
        """Read the whole list, and take each person's entries in their own spelling of the id."""
        found: dict[str, list[ListedRegistration]] = {}
        for id_, registration in self._everybody():
            if id_ in keys:
                found.setdefault(id_, []).append(ListedRegistration(join_web_url=registration.join_web_url))
        return found

    def _by_spelling(self, listed: Iterable[tuple[str, RemoteRegistration]]) -> _Listed:
        found: _Listed = {}
        for id_, registration in listed:
            found.setdefault(folded_id(id_), []).append((id_, registration))
        return found

    def _lookup(self, found: _Listed, registrants: Sequence[Registrant]) -> Lookup:
        """Take each registrant's registrations in their own spelling of the id or, if there are none, in another."""
        registrations: dict[str, list[RemoteRegistration]] = {}
        for key in (registrant.key for registrant in registrants):
            listed = found.get(folded_id(key), [])
            own = [(id_, one) for id_, one in listed if id_ == key]
            # Somebody of this input whose id differs by no more than its spelling is another person.
            own = own or [(id_, one) for id_, one in listed if id_ not in self._keys]
            if own:
                self._listed_otherwise[key] = [id_ for id_, _ in own if id_ != key]
                registrations[key] = [one for _, one in own]
        return Lookup(registrations)

    def resolve_keys(self, rows: Sequence[Mapping[str, Any]]) -> list[list[str] | InvalidRow]:
        """
        Return the ids in the rows. No other column matters.

        :raises TeamsRegistrationError: the meeting or its registration does not exist or cannot be read.
        """
        if not self._allowed_registrant:
            self._allowed_registrant = self._meeting.registration().allowed_registrant
        named = [_id_or_why(row) for row in rows]
        self._keys.update(key for keys in named if not isinstance(keys, InvalidRow) for key in keys)
        return named

    def _begin_list(self) -> Iterator[tuple[str, RemoteRegistration]]:
        """Read the first page. The run may not need the others, because the ledger may know everybody."""
        everybody = self._everybody()
        return chain(list(islice(everybody, 1)), everybody)

    def _everybody(self) -> Iterator[tuple[str, RemoteRegistration]]:
        """List the ids and the registrations. Graph usually shows no links in this list."""
        without_link = RemoteRegistration(Outcome.ENROLLED)
        for listed in self._meeting.registrants():
            link = listed.join_web_url
            yield listed.id, RemoteRegistration(Outcome.ENROLLED, link) if link else without_link


def make_event(session: GraphSession, reference: EventRef, **_form: str | None) -> MeetingEvent:
    """Return the online meeting of a reference. Its rows have no defaults."""
    return MeetingEvent(OnlineMeeting(session, reference.id, reference.organizer), session.rate_limiter)


def _is_of_one(answer: TeamsRegistrationError | None) -> bool:
    """Return whether an answer is a 404 about one person, and not about a whole batch."""
    return isinstance(answer, NotFound) and not answer.refused_together


def _id_or_why(row: Mapping[str, Any]) -> list[str] | InvalidRow:
    try:
        return [read_id(row)]
    except InvalidRow as error:
        return error
