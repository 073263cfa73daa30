"""Find people whom two runs enrolled at the same time: on the event twice, or with a link that has ended."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from airflow_provider_teams_registration.core.outcome import NOT_ON_THE_EVENT, Enrollment, Outcome
from airflow_provider_teams_registration.core.registration import ListedRegistration

_POSITIONS_NAMED = 20
_SENT = frozenset({Outcome.ENROLLED, Outcome.WAITLISTED, Outcome.PENDING_APPROVAL})


@dataclass(frozen=True)
class DoubleEnrollments:
    """
    The positions in the input of people whom two runs enrolled.

    :param twice: people who are on the event more than once.
    :param ended: people who are on it once, and the link that this run returns is not theirs any more.
    """

    twice: tuple[int, ...] = ()
    ended: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.twice or self.ended)

    def sentence(self) -> str:
        """Name the positions, and say what to do. The sentence names no person."""
        said = []
        if self.twice:
            said.append(f"{_people(self.twice)} on the event more than once ({_rows(self.twice)})")
        if self.ended:
            said.append(
                f"{_people(self.ended)} on the event with another link than this run returns ({_rows(self.ended)})"
            )
        return (
            f"{'; '.join(said)}. Another run enrolled the same people at the same time. Cancel the registrations of "
            "these rows and run the task again. A ledger_conn_id, the same one in all DAGs, prevents this."
        )


@dataclass(frozen=True)
class _Returned:
    """What this run returns of somebody."""

    position: int
    registration_id: str | None
    link: str | None = field(repr=False)


class ReturnedLinks:
    """Keeps, of a run's results, what a later read of the event is compared with. It holds hashes of links."""

    def __init__(self) -> None:
        self._returned: dict[str, _Returned] = {}
        self.has_sent = False

    def add(self, enrollments: Sequence[Enrollment]) -> None:
        """Keep people who are on the event, as far as is known."""
        for one in enrollments:
            if one.registrant is None or one.outcome in NOT_ON_THE_EVENT or one.outcome is Outcome.UNKNOWN:
                continue
            self.has_sent = self.has_sent or one.outcome in _SENT
            link = _hash(one.join_web_url) if one.join_web_url else None
            self._returned[one.registrant] = _Returned(one.position, one.registration_id, link)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the people."""
        return frozenset(self._returned)

    def double_enrollments(self, listed: Mapping[str, Sequence[ListedRegistration]]) -> DoubleEnrollments:
        """
        Compare the results with what the event shows.

        Somebody who is not shown proves nothing, because an enrollment may show late.

        :param listed: every registration that the event shows, by the person's key, also those that are cancelled.
        """
        twice, ended = [], []
        for key, one in self._returned.items():
            shown = listed.get(key, ())
            active = [registration for registration in shown if registration.is_active]
            if len(active) > 1:
                twice.append(one.position)
            elif _is_ended(one, shown, active):
                ended.append(one.position)
        return DoubleEnrollments(tuple(sorted(twice)), tuple(sorted(ended)))


def _is_ended(one: _Returned, shown: Sequence[ListedRegistration], active: Sequence[ListedRegistration]) -> bool:
    if one.link is None:
        return False
    own = [registration for registration in shown if registration.registration_id == one.registration_id]
    if one.registration_id is not None and own:
        return not any(registration.is_active for registration in own)
    links = [_hash(registration.join_web_url) for registration in active if registration.join_web_url]
    return bool(links) and one.link not in links


def _hash(link: str) -> str:
    return hashlib.sha256(link.encode("utf-8", "surrogatepass")).hexdigest()


def _people(positions: Sequence[int]) -> str:
    return f"{len(positions):,} registrant{' is' if len(positions) == 1 else 's are'}"


def _rows(positions: Sequence[int]) -> str:
    named = ", ".join(str(position) for position in positions[:_POSITIONS_NAMED])
    more = ", …" if len(positions) > _POSITIONS_NAMED else ""
    return f"{'row' if len(positions) == 1 else 'rows'} {named}{more}"
