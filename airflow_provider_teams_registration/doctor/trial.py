"""
What a tenant does where nobody knows what Graph does: tried with one test person. This is the only part that writes.

Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-post-registrations
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.doctor.sample_answers import sample_answers
from airflow_provider_teams_registration.exceptions import (
    AnswerLost,
    BadRequest,
    Conflict,
    Forbidden,
    GraphError,
    NotFound,
    TeamsRegistrationError,
)
from airflow_provider_teams_registration.graph.email_address import read_email
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.webinar_registration_bodies import (
    FilterIgnored,
    WebinarRegistrant,
    WebinarRegistration,
)

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.session import GraphSession

LONGEST_LAG = 120.0
"""Seconds to wait for a registration to show."""
_POLL = 1.0
_TIME_ZONE, _LANGUAGE = "UTC", "en-us"


class TrialRefused(Exception):
    """The trial did not begin, and wrote nothing. The sentence says why."""


@dataclass
class Trial:
    """
    What was observed.

    :param observations: questions and answers, in their order.
    :param switches: the switches that make the emulator behave like this tenant.
    :param left: what is left on the webinar, and what to do about it; None where nothing is.
    """

    observations: list[tuple[str, str]] = field(default_factory=list)
    switches: dict[str, Any] = field(default_factory=dict)
    left: str | None = None

    def note(self, question: str, answer: str, **switches: Any) -> None:
        """Add an observation."""
        self.observations.append((question, answer))
        self.switches.update(switches)

    def note_list(self, *, may_list: bool) -> None:
        """Note, once, whether the application may list registrations."""
        if "application_may_list_registrations" not in self.switches:
            answer = "The application may list them." if may_list else "The application may not list them."
            self.note("list", answer, application_may_list_registrations=may_list)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        observed = [{"question": question, "answer": answer} for question, answer in self.observations]
        return {"observations": observed, "switches": self.switches, "left": self.left}


def try_with_test_person(session: GraphSession, webinar_id: str, address: str) -> Trial:
    """
    Register a test person, read them, register them again, read their link, and cancel them.

    :param session: the session of an application.
    :param webinar_id: the webinar's ``id``.
    :param address: the test person's e-mail address. Nobody may be registered with it.
    :raises TrialRefused: the trial would not be safe. Nothing was written.
    """
    webinar = Webinar(session, webinar_id)
    if webinar.signs_in_a_user:
        raise TrialRefused("A signed-in user registers only themselves. Sign in as an application to try the webinar.")
    email = read_email(address)
    if email is None:
        raise TrialRefused("The test person's address is no e-mail address.")
    try:
        attempt = _Attempt(session, webinar, email, sample_answers(webinar.questions()))
        attempt.refuse_somebody_registered()
    except TeamsRegistrationError as error:
        raise TrialRefused(f"The webinar cannot be read. {error}") from None
    return attempt.run()


class _Attempt:
    def __init__(
        self, session: GraphSession, webinar: Webinar, email: str, answers: tuple[Mapping[str, Any], ...]
    ) -> None:
        self._session = session
        self._webinar = webinar
        self._email = email
        self._person = WebinarRegistrant(
            email=email,
            first_name="Test",
            last_name="Person",
            preferred_timezone=_TIME_ZONE,
            preferred_language=_LANGUAGE,
            answers=answers,
        )
        self._trial = Trial()
        self._lag = 0.0

    def refuse_somebody_registered(self) -> None:
        if self._active():
            raise TrialRefused("Somebody is registered with this address already; take another one.")

    def run(self) -> Trial:
        try:
            if self._register():
                self._read_back()
        except (TeamsRegistrationError, TrialRefused) as error:
            self._trial.note("the trial", f"It ended early: {error}")
        finally:
            self._clean_up()
        return self._trial

    def _clean_up(self) -> None:
        try:
            self._cancel()
        except (TeamsRegistrationError, TrialRefused) as error:
            self._trial.left = f"Whether the test person is still registered is not known: {error}"

    def _register(self) -> bool:
        (answer,) = self._webinar.register([self._person])
        if isinstance(answer, TeamsRegistrationError) and not isinstance(answer, AnswerLost):
            self._trial.note("register", f"Graph refuses it: {answer}")
            return False
        body = "no registration" if answer is None else "the registration"
        said = (
            str(answer) if isinstance(answer, AnswerLost) else f"Graph accepts it in a batch, and answers with {body}."
        )
        self._trial.note("register", said)
        return True

    def _read_back(self) -> None:
        begun = time.monotonic()
        found = self._wait_for(lambda: self._active() or None)
        if not found:
            self._trial.note("lag", f"The registration did not show within {LONGEST_LAG:.0f} seconds.")
            return
        self._lag = round(time.monotonic() - begun, 1)
        shown = self._lag >= _POLL
        self._trial.note(
            "lag",
            f"The registration shows after {self._lag:g} seconds." if shown else "The registration shows at once.",
            visibility_lag=self._lag if shown else 0.0,
        )
        self._lookups()
        link = self._link(found[0].id)
        self._again(len(found), link)

    def _lookups(self) -> None:
        (by_filter,) = self._webinar.registrations_by_email([self._email], by_filter=True)
        works = "works" if isinstance(by_filter, WebinarRegistration) else "refused"
        # Where only the test person is registered, a filter that is ignored finds them as well.
        (nobody,) = self._webinar.registrations_by_email([f"{uuid.uuid4().hex}@example.org"], by_filter=True)
        if isinstance(by_filter, FilterIgnored) or isinstance(nobody, FilterIgnored):
            works = "ignored"
        self._trial.note("look up by filter", f"It {_SAID[works]}.", registration_filter=works)
        (by_key,) = self._webinar.registrations_by_email([self._email], by_filter=False)
        has_key = isinstance(by_key, WebinarRegistration)
        self._trial.note("look up by key", f"It {_SAID['works' if has_key else 'refused']}.", registration_key=has_key)

    def _link(self, registration_id: str) -> str | None:
        (link,) = self._webinar.join_web_urls([registration_id])
        if isinstance(link, Forbidden):
            name = "application_may_read_registration_sessions"
            self._trial.note("link", "The application may not read it.", **{name: False})
        elif isinstance(link, TeamsRegistrationError):
            self._trial.note("link", f"It could not be read: {link}")
        elif link is None:
            self._trial.note("link", "The registration shows none.")
        else:
            self._trial.note("link", "The application may read it.", application_may_read_registration_sessions=True)
            return link
        return None

    def _again(self, count: int, link: str | None) -> None:
        (answer,) = self._webinar.register([self._person])
        if isinstance(answer, Conflict):
            self._trial.note("register again", "Graph refuses it with 409.", duplicate="conflict")
        elif isinstance(answer, BadRequest):
            self._trial.note("register again", "Graph refuses it with 400.", duplicate="bad_request")
        elif isinstance(answer, TeamsRegistrationError):
            self._trial.note("register again", f"It is not known: {answer}")
        else:
            self._session.stop.wait(self._lag)
            self._compare(count, link)

    def _compare(self, count: int, link: str | None) -> None:
        now = self._active()
        if len(now) > count:
            self._trial.note("register again", "Graph makes a second registration.", duplicate="second_record")
            return
        after = self._webinar.join_web_urls([now[0].id])[0] if now and link else None
        if isinstance(after, str) and after != link:
            self._trial.note("register again", "Graph accepts it, and the link is a new one.", duplicate="new_link")
        else:
            self._trial.note("register again", "Graph accepts it, and the registration stays.", duplicate="same")

    def _cancel(self) -> None:
        active = self._active()
        if not active:
            if not any(question == "lag" for question, _ in self._trial.observations):
                return
            self._trial.left = "The test person may show up as registered later; look at the webinar's registrations."
            return
        refused = [one for one in self._webinar.cancel_all([one.id for one in active]) if one is not None]
        if refused:
            name = "application_may_cancel_registrations"
            known = {name: False} if isinstance(refused[0], Forbidden) else {}
            self._trial.note("cancel", f"Graph refuses it: {refused[0]}", **known)
            self._trial.left = (
                f"The test person is still registered ({', '.join(one.id for one in active)}). The organizer cancels "
                "the registration in Teams."
            )
            return
        self._trial.note("cancel", "The application may.", application_may_cancel_registrations=True)
        if self._wait_for(lambda: None if self._active() else True) is None:
            self._trial.left = "The registration is cancelled, and still shows as registered."
        (answer,) = self._webinar.cancel_all([active[0].id])
        again = {BadRequest: "bad_request", NotFound: "not_found", type(None): "no_content"}.get(type(answer))
        if again is not None:
            self._trial.note("cancel again", f"Graph {_SAID[again]}.", second_cancel=again)

    def _active(self) -> list[WebinarRegistration]:
        """
        Return the person's registrations that are not cancelled.

        :raises TrialRefused: nothing tells whether there are any.
        """
        try:
            found = [one for one in self._webinar.registrations() if one.email == self._email]
        except GraphError:
            self._trial.note_list(may_list=False)
            return self._looked_up()
        self._trial.note_list(may_list=True)
        return [one for one in found if one.is_active]

    def _looked_up(self) -> list[WebinarRegistration]:
        for by_filter in (True, False):
            (found,) = self._webinar.registrations_by_email([self._email], by_filter=by_filter)
            if isinstance(found, WebinarRegistration):
                return [found] if found.is_active else []
            if found is None or isinstance(found, NotFound):
                return []
        raise TrialRefused(
            "Graph neither lists registrations nor finds one by its address, so it cannot be told whether the address "
            "is registered already."
        )

    def _wait_for(self, look: Callable[[], Any]) -> Any:
        until = time.monotonic() + LONGEST_LAG
        while True:
            found = look()
            if found is not None or time.monotonic() >= until:
                return found
            if self._session.stop.wait(_POLL):
                return None


_SAID = {
    "works": "works",
    "refused": "does not work",
    "ignored": "is ignored: Graph answers with others",
    "bad_request": "refuses it with 400",
    "not_found": "refuses it with 404",
    "no_content": "accepts it",
}
