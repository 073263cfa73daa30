"""A webinar as the engine sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.enrollment.event import Found, InvalidRow, Registrant, Standing
from airflow_provider_teams_registration.enrollment.outcome import Outcome
from airflow_provider_teams_registration.enrollment.registration_ladder import Climbed, RegistrationLadder, is_refusal
from airflow_provider_teams_registration.enrollment.webinar_named import OurId, UnknownId, read_named
from airflow_provider_teams_registration.enrollment.webinar_row import WebinarForm
from airflow_provider_teams_registration.graph.batch import MAX_BATCH, slices
from airflow_provider_teams_registration.graph.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    GraphError,
    NotFound,
    SettingsError,
    TeamsRegistrationError,
)
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.webinar_bodies import PUBLISHED, WebinarRegistration

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.allowance import PacedWrites

_OUTCOMES = {
    "registered": Outcome.ENROLLED,
    "waitlisted": Outcome.WAITLISTED,
    "pendingApproval": Outcome.PENDING_APPROVAL,
    "rejectedByOrganizer": Outcome.DECLINED,
    "canceled": Outcome.CANCELLED,
}
_NOT_THE_USER = (
    "the connection signs in a user, who can register nobody but themself: one row, with the address they sign in "
    "with; sign in as an application to register others"
)


def outcome_of(status: str) -> Outcome:
    """Return what a registration's status means; ``unknown`` for words of the future."""
    return _OUTCOMES.get(status, Outcome.UNKNOWN)


class WebinarEvent:
    """
    A webinar. Rows need ``email``, ``first_name``, ``last_name``, a time zone, a language, and the form's answers.

    One e-mail address is one registrant. A link can be read again at any time, so nobody is ever cancelled for one.

    :param webinar: the webinar.
    :param pace: the pace of its session's writes.
    :param defaults: arguments for :class:`WebinarForm` beside the questions.
    """

    hands_links_out_once = False
    own_link = None

    def __init__(self, webinar: Webinar, pace: PacedWrites, **defaults: str | None) -> None:
        self._webinar = webinar
        self.id = webinar.webinar_id
        self.pace = pace
        self._defaults = defaults
        self._form = WebinarForm()
        self._user: frozenset[str] = frozenset()
        self._is_user_known = False
        self._ids: dict[str, str] = {}
        self._ladder = RegistrationLadder(webinar)

    @property
    def batch_size(self) -> int:
        """As many as the allowance has room for."""
        return min(self.pace.room, MAX_BATCH)

    def prepare(self) -> None:
        """
        Read the form, and refuse a webinar that takes nobody.

        :raises SettingsError: it is a draft or cancelled, or what rows may leave out has an impossible default.
        """
        try:
            WebinarForm(questions=(), is_delegated=False, **self._defaults).check_defaults()
        except InvalidRow as error:
            raise SettingsError(f"The operator's {error}.") from None
        status = self._webinar.info().status
        if status != PUBLISHED:
            raise SettingsError(
                f"The webinar is {status or 'of no status'}, not published: it takes no registrations. Publish it in "
                "Teams, or with PublishWebinarOperator; RegistrationOpenSensor waits for that."
            )
        self._form = WebinarForm(
            questions=self._webinar.questions(), is_delegated=self._webinar.signs_in_a_user, **self._defaults
        )
        if self._webinar.signs_in_a_user:
            self._user = self._webinar.user_addresses()
            self._is_user_known = bool(self._user)

    def close(self) -> None:
        """Nothing is being read."""

    def read(self, position: int, row: Mapping[str, Any]) -> Registrant:
        """Read a row as the form takes it; with a signed-in user, of one person only."""
        registrant = self._form.read(row)
        if self._webinar.signs_in_a_user:
            if self._user and registrant.email not in self._user:
                raise InvalidRow(_NOT_THE_USER)
            # Whoever it is, there is nobody else to register.
            self._user = frozenset({registrant.email})
        return Registrant(position, row, registrant.email, registrant)

    def enroll(self, registrants: Sequence[Registrant]) -> list[Standing | TeamsRegistrationError]:
        """Register people in one call."""
        answers = self._webinar.register([registrant.body for registrant in registrants])
        return [self._taken(registrant, answer) for registrant, answer in zip(registrants, answers, strict=True)]

    def cancel(self, registrants: Sequence[Registrant]) -> list[TeamsRegistrationError | None]:
        """Take people off, with all the records they have; who is not registered counts as off."""
        answers: dict[str, TeamsRegistrationError | None] = {}
        gone: set[str] = set()
        keys = [registrant.key for registrant in registrants]
        told = {one.key: [value for value in one.row.values() if isinstance(value, str)] for one in registrants}
        while keys:
            climbed = self._search(keys)
            untold = {key: why for key, why in climbed.unproved.items() if key not in climbed.found}
            answers.update((key, why) for key, why in untold.items() if key not in answers)
            there = {key: one for key, one in climbed.found.items() if _is_active(one) and one.id not in gone}
            answers.update(self._cancel(there, told))
            gone.update(one.id for one in there.values())
            keys = [key for key in there if answers[key] is None]
        return [answers.get(registrant.key) for registrant in registrants]

    def present(self, registrants: Sequence[Registrant]) -> Found:
        """Tell who is registered already."""
        if not self._webinar.signs_in_a_user:
            return self.find(registrants)
        # A user need not be found beforehand: the service tells them what they registered.
        try:
            return Found(self.find(registrants).standings)
        except SettingsError:
            return Found({})

    def find(self, registrants: Sequence[Registrant], witness: Registrant | None = None) -> Found:
        """Read registrations, then the links of those who may join."""
        climbed = self._search([registrant.key for registrant in registrants], witness.key if witness else None)
        active = {key: one for key, one in climbed.found.items() if _is_active(one)}
        self._ids.update((key, one.id) for key, one in active.items())
        joining = {key: one.id for key, one in active.items() if outcome_of(one.status) is Outcome.ENROLLED}
        links = self._links(joining)
        standings = {key: [_standing(one, links.get(key))] for key, one in active.items()}
        return Found(standings, climbed.unproved)

    def keys_to_cancel(self, rows: Sequence[Mapping[str, Any]]) -> list[list[str] | InvalidRow]:
        """Return the rows' e-mail addresses; those of rows that hold only our id are looked up in one list."""
        named = [read_named(row) for row in rows]
        wanted = {one.id for one in named if isinstance(one, OurId)}
        there: dict[str, list[WebinarRegistration]] = {}
        refusal: GraphError | None = None
        try:
            for one in self._webinar.registrations() if wanted else ():
                if one.registration_id in wanted:
                    there.setdefault(one.registration_id, []).append(one)
        except GraphError as error:
            if not is_refusal(error):
                raise
            refusal = error
        return [
            self._keys_of(one, there.get(one.id, ()), refusal)
            if isinstance(one, OurId)
            else (one if isinstance(one, InvalidRow) else [one])
            for one in named
        ]

    def _keys_of(
        self, one: OurId, there: Sequence[WebinarRegistration], refusal: GraphError | None
    ) -> list[str] | InvalidRow:
        """Return whom an id of ours means: everybody who is registered with it, under whatever address."""
        active = [registration for registration in there if _is_active(registration)]
        for registration in reversed(active):
            # Under this id they are found, whatever the address leads to.
            self._ids[_key_of(registration)] = registration.id
        if active:
            return list(dict.fromkeys(_key_of(registration) for registration in active))
        if one.address is not None:
            return [one.address]
        return [_key_of(there[0])] if there else UnknownId(refusal)

    def _cancel(
        self, there: Mapping[str, WebinarRegistration], told: Mapping[str, Sequence[str]]
    ) -> dict[str, TeamsRegistrationError | None]:
        """
        Cancel one registration of each.

        :param there: the registrations.
        :param told: what their rows say of them, which no error text is to repeat.
        """
        answers: dict[str, TeamsRegistrationError | None] = {}
        left = list(there)
        while left:
            self.pace.wait()
            size = self.batch_size
            some, left = left[:size], left[size:]
            ids = [there[key].id for key in some]
            personal = [text for key in some for text in (*there[key].personal, *told[key])]
            self.pace.begin(len(some))
            self.pace.wait_for_begun()
            try:
                answers.update(zip(some, self._webinar.cancel_all(ids, personal=personal), strict=True))
            finally:
                self.pace.end(len(some))
        # The service may refuse to cancel what somebody else has cancelled meanwhile.
        doubtful = [key for key in there if isinstance(answers[key], BadRequest | Conflict)]
        answers.update((key, None) for key in doubtful if not self._is_still_on(there[key].id))
        answers.update((key, None) for key in there if isinstance(answers[key], NotFound))
        # Whom the organizer has declined is off without us.
        declined = [key for key, one in there.items() if outcome_of(one.status) is Outcome.DECLINED]
        answers.update((key, None) for key in declined if isinstance(answers[key], BadRequest | Conflict | Forbidden))
        return answers

    def _is_still_on(self, registration_id: str) -> bool:
        (answer,) = self._webinar.registrations_by_id([registration_id])
        return not isinstance(answer, WebinarRegistration) or _is_active(answer)

    def _taken(
        self, registrant: Registrant, answer: WebinarRegistration | TeamsRegistrationError | None
    ) -> Standing | TeamsRegistrationError:
        if isinstance(answer, TeamsRegistrationError):
            return answer
        if answer is None:
            return Standing(Outcome.UNKNOWN)
        if not self._is_user_known and answer.email not in ("", registrant.key):
            return SettingsError(
                "The connection signs in a user, who can register nobody but themself: the service registered them, "
                "and not the person of this row. Sign in as an application to register others."
            )
        self._ids[registrant.key] = answer.id
        return _standing(answer, None)

    def _search(self, keys: Sequence[str], witness: str | None = None) -> Climbed:
        """Find registrations: by id where it is known, else down the ladder of what this service accepts."""
        found: dict[str, WebinarRegistration] = {}
        late: dict[str, TeamsRegistrationError] = {}
        known = {key: self._ids[key] for key in keys if key in self._ids}
        for some in slices(list(known)):
            answers = self._webinar.registrations_by_id([known[key] for key in some])
            for key, answer in zip(some, answers, strict=True):
                if isinstance(answer, NotFound) and self._webinar.signs_in_a_user:
                    late[key] = answer
                elif isinstance(answer, WebinarRegistration) and _is_active(answer):
                    found[key] = answer
                elif isinstance(answer, WebinarRegistration):
                    # They may have registered anew since, under another id.
                    del self._ids[key]
        unknown = [key for key in keys if key not in found and key not in late]
        climbed = self._ladder.climb(unknown, witness) if unknown else Climbed({})
        return Climbed({**found, **climbed.found}, {**late, **climbed.unproved})

    def _links(self, ids: Mapping[str, str]) -> dict[str, str | TeamsRegistrationError | None]:
        links: dict[str, str | TeamsRegistrationError | None] = {}
        for some in slices(list(ids)):
            links.update(zip(some, self._webinar.join_web_urls([ids[key] for key in some]), strict=True))
        return links


def _key_of(registration: WebinarRegistration) -> str:
    """The address, or what else tells one registration from the others where it has none."""
    return registration.email or registration.id


def _is_active(registration: WebinarRegistration) -> bool:
    return outcome_of(registration.status) is not Outcome.CANCELLED


def _counts_more(one: WebinarRegistration, other: WebinarRegistration | None) -> bool:
    return other is None or not _is_active(other)


def _standing(registration: WebinarRegistration, link: str | TeamsRegistrationError | None) -> Standing:
    outcome = outcome_of(registration.status)
    if isinstance(link, Forbidden):
        said = (
            "registered, but the link may not be read: that takes an application with VirtualEvent.Read.Chat "
            "(resource-specific consent), or with VirtualEvent.Read.All where the service accepts it"
        )
        return Standing(outcome, registration_id=registration.id, error=said, is_link_withheld=True)
    if outcome is Outcome.UNKNOWN:
        said = "the service gives the registration a status that this version does not know"
        return Standing(outcome, registration_id=registration.id, error=said)
    is_refused = isinstance(link, TeamsRegistrationError)
    return Standing(
        outcome,
        link if isinstance(link, str) else None,
        registration.id,
        is_link_due=outcome is Outcome.ENROLLED and not isinstance(link, str),
        error=f"registered, but the link cannot be read: {getattr(link, 'reason', link)}" if is_refused else None,
    )
