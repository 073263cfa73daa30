"""What became of a send whose answer was lost, told by reading the event, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from airflow_provider_teams_registration.enrollment.event import Found, Standing
from airflow_provider_teams_registration.enrollment.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.enrollment.person import Person
from airflow_provider_teams_registration.enrollment.recall import NOT_ON_THE_EVENT
from airflow_provider_teams_registration.graph.errors import BadRequest, Conflict, GraphError, TeamsRegistrationError

DEFAULT_SETTLE_AFTER = 120.0
"""Seconds from a send until its not showing means that it never landed."""
MAX_SETTLED = 4
_TIME_FOR_A_BAD_REQUEST = timedelta(seconds=2)


class OnMissingJoinUrl(str, Enum):
    """What to do about people who are on the event already and whose link cannot be read."""

    FAIL = "fail"
    """Report them and fail the task."""
    IGNORE = "ignore"
    """Report them."""
    RE_ENROLL = "re_enroll"
    """Take them off and enroll them again: they get a new link, and the one they hold stops working. Not off a webinar,
    where it is the same as ``fail``."""


class Step(Enum):
    """What comes next for a person whose outcome is still open."""

    SEND = "send"
    LOOK_AGAIN = "look again"


@dataclass(frozen=True)
class Settling:
    """
    The rules.

    :param hands_links_out_once: whether a link can be had only in the answer to the enrollment.
    :param on_missing_join_url: what to do about other people's people.
    :param settle_after: how long a send may take to show on the event.
    """

    hands_links_out_once: bool
    on_missing_join_url: OnMissingJoinUrl
    settle_after: timedelta

    def settle(self, person: Person, found: Found, now: datetime) -> Enrollment | Step:
        """
        Decide about somebody after the event was read.

        :param person: who was sent without an answer, or is said to be there already.
        :param found: what reading told.
        :param now: when the event was read.
        """
        standings = found.standings.get(person.key)
        waited = now - person.sent_at if person.sent_at else timedelta.max
        if not standings:
            is_overdue = waited >= self._time_to_show(person)
            return self._absent(person, found.unproved.get(person.key)) if is_overdue else Step.LOOK_AGAIN
        if standings[0].is_link_due and waited < self.settle_after:
            return Step.LOOK_AGAIN
        if person.is_ours:
            return self._settle_own(person, standings)
        return self.settle_others(person, standings)

    def _time_to_show(self, person: Person) -> timedelta:
        if isinstance(person.refusal, BadRequest) and not person.is_ours:
            # It seldom says that they are there already, and should not hold a bad row up for long.
            return min(self.settle_after, _TIME_FOR_A_BAD_REQUEST)
        return self.settle_after

    def settle_new(self, person: Person, present: Found) -> Enrollment | Step:
        """Decide about somebody of whom no send of ours is known, after the event was read."""
        standings = present.standings.get(person.key)
        if standings:
            return self.settle_others(person, standings)
        why = present.unproved.get(person.key)
        if why is None:
            return Step.SEND
        if person.entry is not None and person.entry.outcome not in NOT_ON_THE_EVENT:
            return Step.LOOK_AGAIN
        # Whoever was never sent may be, but where the service refuses to tell afterwards what came of it.
        return person.refused(why) if isinstance(why, GraphError) else Step.SEND

    def settle_others(self, person: Person, standings: Sequence[Standing]) -> Enrollment | Step:
        """Decide about somebody who was on the event before we sent them."""
        standing = _best(standings)
        outcome = Outcome.ALREADY_ENROLLED if standing.outcome is Outcome.ENROLLED else standing.outcome
        return self._with_or_without_link(person, len(standings), person.enrolled(standing, outcome))

    def settle_linkless(self, person: Person) -> Enrollment | Step:
        """Decide about somebody whom we enrolled and whose link was not to be kept."""
        enrollment = person.enrolled(Standing(Outcome.ALREADY_ENROLLED, error=_NOT_KEPT))
        return self._with_or_without_link(person, 1, enrollment)

    def _with_or_without_link(self, person: Person, records: int, enrollment: Enrollment) -> Enrollment | Step:
        if not enrollment.is_link_missing:
            return enrollment
        # A link that can be read again is the same after another enrollment.
        if self.on_missing_join_url is OnMissingJoinUrl.RE_ENROLL and self.hands_links_out_once:
            person.records = records
            return Step.SEND
        return replace(enrollment, is_link_missing=self.on_missing_join_url is not OnMissingJoinUrl.IGNORE)

    def _settle_own(self, person: Person, standings: Sequence[Standing]) -> Enrollment | Step:
        standing = _best(standings)
        if standing.join_web_url or not self.hands_links_out_once:
            return self._with_or_without_link(person, len(standings), person.enrolled(standing))
        # Nobody can hold the link that was lost with the answer: a new enrollment takes nothing from anybody.
        person.times_settled += 1
        if person.times_settled > MAX_SETTLED:
            return person.refused("Enrolled again and again, and every answer was lost", Outcome.UNKNOWN)
        person.records = len(standings)
        return Step.SEND

    def _absent(self, person: Person, unproved: TeamsRegistrationError | None) -> Enrollment | Step:
        if person.is_accepted:
            return person.not_shown(unproved)
        if person.refusal is not None and person.is_ours:
            # It may speak of a send of ours that does not show yet.
            return person.refused(person.refusal, Outcome.UNKNOWN)
        if isinstance(person.refusal, Conflict) and self.hands_links_out_once:
            return self.settle_others(person, [Standing(Outcome.ENROLLED)])
        if person.refusal is not None:
            return person.refused(person.refusal)
        if unproved is not None:
            return person.refused(unproved, Outcome.UNKNOWN)
        person.times_settled += 1
        if person.times_settled > MAX_SETTLED:
            return person.refused("Sent again and again, every answer was lost, and they are not on the event")
        return Step.SEND


def _best(standings: Sequence[Standing]) -> Standing:
    """The record that lets a person join, where there are several."""
    return next((standing for standing in standings if standing.join_web_url), standings[0])


_NOT_KEPT = "enrolled earlier, and the ledger holds no link for them"
