"""An online meeting as the engine sees it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from decimal import Decimal
from functools import partial
from itertools import chain, islice
from numbers import Integral
from typing import TYPE_CHECKING, Any
from uuid import UUID

from airflow_provider_teams_registration.enrollment.event import Found, InvalidRow, Registrant, Standing
from airflow_provider_teams_registration.enrollment.outcome import Outcome
from airflow_provider_teams_registration.graph.batch import MAX_BATCH
from airflow_provider_teams_registration.graph.errors import NotFound, TeamsRegistrationError
from airflow_provider_teams_registration.graph.online_meeting import ExternalMeetingRegistrant, OnlineMeeting

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.pace import Pace

log = logging.getLogger(__name__)

_LONGEST_WAIT_FOR_LINK = 2.0
_SPELLINGS = {"id": ("id",), "tenant_id": ("tenant_id", "tenantId"), "user_id": ("user_id", "userId")}


class MeetingEvent:
    """
    An online meeting. Rows need ``id``; a registration of the organization needs ``tenant_id`` and ``user_id`` too.

    :param meeting: the meeting.
    :param pace: the pace of its session.
    """

    batch_size = MAX_BATCH
    hands_links_out_once = True

    def __init__(self, meeting: OnlineMeeting, pace: Pace) -> None:
        self._meeting = meeting
        self.id = meeting.meeting_id
        self.pace = pace
        self._allowed_registrant = ""
        self._threads: ThreadPoolExecutor | None = None
        self._link: Future[str | None] | None = None
        self._listed: Future[Iterator[tuple[str, Standing]]] | None = None
        self._present: dict[str, list[Standing]] | None = None

    def prepare(self) -> None:
        """Read the registration's audience, and begin to read the meeting's own link and who is on it."""
        self._allowed_registrant = self._meeting.registration().allowed_registrant
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="prepare")
        self._link = self._threads.submit(partial(self._meeting.join_web_url, once=True))
        self._listed = self._threads.submit(self._begin_list)

    def close(self) -> None:
        """Read no more. What is on its way is not waited for."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)

    @property
    def own_link(self) -> str | None:
        """The meeting's own link, a credential. A meeting that cannot be read soon shows none, which fails nothing."""
        if self._link is None:
            return None
        try:
            return self._link.result(_LONGEST_WAIT_FOR_LINK)
        except (TeamsRegistrationError, NotYet) as error:
            log.debug("No link to the meeting: %s", error)
            return None

    def read(self, position: int, row: Mapping[str, Any]) -> Registrant:
        """Read a row as a registrant for that audience."""
        registrant = read_registrant(row, self._allowed_registrant)
        return Registrant(position, row, registrant.id, registrant)

    def enroll(self, registrants: Sequence[Registrant]) -> list[Standing | TeamsRegistrationError]:
        """Put up to 20 people on the meeting in one call."""
        answers = self._meeting.enroll([registrant.body for registrant in registrants])
        return [
            answer if isinstance(answer, TeamsRegistrationError) else Standing(Outcome.ENROLLED, answer.join_web_url)
            for answer in answers
        ]

    def cancel(self, registrants: Sequence[Registrant]) -> list[TeamsRegistrationError | None]:
        """Take up to 20 people off the meeting in one call; who is not on it counts as off."""
        answers = self._meeting.cancel_all([registrant.key for registrant in registrants])
        return [None if isinstance(answer, NotFound) else answer for answer in answers]

    def present(self, registrants: Sequence[Registrant]) -> Found:
        """Read the list once: who comes up later in the same input was not sent before."""
        if self._present is None:
            present: dict[str, list[Standing]] = {}
            for key, standing in self._listed.result() if self._listed else self._everybody():
                present.setdefault(key, []).append(standing)
            self._present = present
        return Found({one.key: self._present[one.key] for one in registrants if one.key in self._present})

    def find(self, registrants: Sequence[Registrant], witness: Registrant | None = None) -> Found:
        """Read the list, which proves who is not on it: a registrant cannot be read alone by any documented request."""
        wanted = {registrant.key for registrant in registrants}
        found: dict[str, list[Standing]] = {}
        for key, standing in self._everybody():
            if key in wanted:
                found.setdefault(key, []).append(standing)
        return Found(found)

    def keys_to_cancel(self, rows: Sequence[Mapping[str, Any]]) -> list[list[str] | InvalidRow]:
        """Return the rows' ids; whatever else they hold does not matter here."""
        return [_id_or_why(row) for row in rows]

    def _begin_list(self) -> Iterator[tuple[str, Standing]]:
        """Read the first page. The others wait until somebody asks: the ledger may know everybody."""
        everybody = self._everybody()
        return chain(list(islice(everybody, 1)), everybody)

    def _everybody(self) -> Iterator[tuple[str, Standing]]:
        """List keys and standings; the service gives no links here."""
        without_link = Standing(Outcome.ENROLLED)
        for listed in self._meeting.registrants():
            link = listed.join_web_url
            yield listed.id, Standing(Outcome.ENROLLED, link) if link else without_link


def read_registrant(row: Mapping[str, Any], allowed_registrant: str) -> ExternalMeetingRegistrant:
    """
    Read a row as a registrant of an online meeting.

    :param row: column and value.
    :param allowed_registrant: the registration's audience, ``everyone`` or ``organization``.
    :raises InvalidRow: it is none.
    """
    registrant = ExternalMeetingRegistrant(
        id=read_id(row), tenant_id=_optional(row, "tenant_id"), user_id=_optional(row, "user_id")
    )
    given = {"tenant_id": registrant.tenant_id, "user_id": registrant.user_id}
    if allowed_registrant == "organization":
        missing = [column for column, value in given.items() if value is None]
        if missing:
            raise InvalidRow(f"{' and '.join(missing)} missing; a registration for the organization needs both")
    else:
        superfluous = [column for column, value in given.items() if value is not None]
        if superfluous:
            raise InvalidRow(f"{' and '.join(superfluous)} given; a registration for everyone takes only the id")
    return registrant


def _id_or_why(row: Mapping[str, Any]) -> list[str] | InvalidRow:
    try:
        return [read_id(row)]
    except InvalidRow as error:
        return error


def read_id(row: Mapping[str, Any]) -> str:
    """
    Return a row's id.

    :raises InvalidRow: it has none, or none that can be one.
    """
    if row.get("id") is None:
        raise InvalidRow("id missing" if "id" not in row else "id is empty")
    value = row["id"]
    if _is_whole_number(value):
        try:
            return str(int(value))
        except ValueError:
            raise InvalidRow("id is a number of too many digits") from None
    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, str):
        raise InvalidRow(f"id is a {type(value).__name__}; it must be a string or a whole number")
    _refuse_impossible(value)
    return value


def _refuse_impossible(value: str) -> None:
    if not value.strip():
        raise InvalidRow("id is empty")
    if "\0" in value or (not value.isascii() and _is_half(value)):
        raise InvalidRow("id holds a character that no database can (a NUL, or half of a surrogate pair)")
    if value in (".", ".."):
        raise InvalidRow("id is a dot or two, which no address can hold: they could never be taken off again")


def _is_half(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def _is_whole_number(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, Integral) and not isinstance(value, bool)


def _optional(row: Mapping[str, Any], column: str) -> str | None:
    given = [row[name] for name in _SPELLINGS[column] if row.get(name) not in (None, "")]
    wrong = next((value for value in given if not isinstance(value, str | UUID)), None)
    if wrong is not None:
        raise InvalidRow(f"{column} is a {type(wrong).__name__}; it must be a string")
    values = {str(value) for value in given}
    if len(values) > 1:
        raise InvalidRow(f"{' and '.join(_SPELLINGS[column])} contradict each other")
    return values.pop() if values else None
