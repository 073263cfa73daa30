"""One examination: the session and its token, and what was named as missing so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from airflow_provider_teams_registration.doctor.finding import Finding, cannot_be_told, interrupted, missing
from airflow_provider_teams_registration.doctor.permissions import Operation
from airflow_provider_teams_registration.doctor.remedies import Remedies
from airflow_provider_teams_registration.exceptions import (
    AccessPolicyMissing,
    Forbidden,
    GraphError,
    NotFound,
    SettingsError,
    TeamsRegistrationError,
    names_access_policy,
    organizer_named,
)
from airflow_provider_teams_registration.graph.credentials.token import Token
from airflow_provider_teams_registration.graph.session import GraphSession

ACCESS_POLICY = "access policy"


@dataclass
class Examination:
    """
    What the checks share. Each cause is named once, so that one missing permission does not fill the page.

    :param session: the session; it signs in anew beforehand.
    :param token: its token.
    :param organizer_id: object id of the event's organizer, as far as it is known.
    """

    session: GraphSession
    token: Token
    organizer_id: str | None = None
    _named: set[str] = field(default_factory=set)

    @property
    def is_delegated(self) -> bool:
        """Whether a user is signed in."""
        return self.session.settings.signs_in_a_user

    @property
    def remedies(self) -> Remedies:
        """What to do about what is missing."""
        return Remedies(self.session.settings, self.token)

    @property
    def granted(self) -> tuple[str, ...]:
        """The permissions that the token has."""
        return self.token.scopes if self.is_delegated else self.token.roles

    def is_granted(self, operation: Operation) -> bool:
        """Return whether the token has a permission for an operation; it has none where it cannot be read."""
        return not set(operation.enough(is_delegated=self.is_delegated)).isdisjoint(self.granted)

    def lacks(self, operation: Operation) -> bool:
        """Return whether the token shows that it has no permission for an operation."""
        return self.token.is_readable and not self.is_granted(operation)

    def missing_once(self, check: str, cause: str, sentence: str, remedy: str, *, is_required: bool = True) -> Finding:
        """Report a cause as missing the first time. A later check with the same cause cannot be told."""
        if cause in self._named:
            return cannot_be_told(check, f"Not checked, because {cause} is missing (see above).")
        self._named.add(cause)
        return missing(check, sentence, remedy, is_required=is_required)

    def no_permission(self, check: str, operation: Operation, *, is_required: bool = True) -> Finding:
        """Return that the token has no permission for an operation."""
        permission = operation.enough(is_delegated=self.is_delegated)[0]
        kind = "delegated" if self.is_delegated else "application"
        return self.missing_once(
            check,
            permission,
            f"The token lacks the {kind} permission {permission}, which it takes to {operation.name}.",
            self.remedies.grant(permission),
            is_required=is_required,
        )

    def refused(self, check: str, operation: Operation, error: TeamsRegistrationError) -> Finding:
        """
        Return what an error of a read says is missing.

        :param check: the check's name.
        :param operation: what was tried.
        :param error: the error.
        """
        if isinstance(error, Forbidden):
            return self._forbidden(check, operation, error)
        if isinstance(error, GraphError) and not error.transient:
            sentence, remedy = _told(error)
            policy = self.remedies.policy(self.organizer_id)
            if isinstance(error, NotFound) and not self.is_delegated and "New-CsApplicationAccessPolicy" not in remedy:
                remedy = (
                    f"{remedy} If they are right, the organizer's application access policy hides the event. {policy}"
                )
            return self.missing_once(check, "the event", sentence, remedy)
        if isinstance(error, SettingsError):
            return missing(check, str(error), "Correct the value.")
        return interrupted(check, str(error))

    def _forbidden(self, check: str, operation: Operation, error: Forbidden) -> Finding:
        reason = error.reason.rstrip(".")
        if not self.is_delegated and (isinstance(error, AccessPolicyMissing) or names_access_policy(error)):
            return self._no_policy(error, "No application access policy lets the app act for the event's organizer.")
        if self.lacks(operation):
            return self.no_permission(check, operation)
        if self.is_delegated:
            return self.missing_once(
                check,
                "the organizer's sign-in",
                f"Graph does not let the signed-in user {operation.name} ({reason}). The user may not be the "
                "event's organizer.",
                self.remedies.sign_in_again(),
            )
        if self.token.is_readable and operation.event is not None and check in ("list", "link"):
            return self.missing_once(
                check,
                operation.event,
                f"Graph does not let the application {operation.name}, although its token has a permission for it "
                f"({reason}). The event's own permission {operation.event} lets it.",
                self.remedies.event_consent(operation.event),
            )
        return self._no_policy(
            error,
            f"Graph does not let the application {operation.name} ({reason}). Probably no application access "
            "policy lets the app act for the event's organizer, or it was granted less than 30 minutes ago; the "
            "organizer's licence may also lack webinars.",
        )

    def _no_policy(self, error: Forbidden, sentence: str) -> Finding:
        remedy = self.remedies.policy(self.organizer_id or organizer_named(error))
        return self.missing_once(ACCESS_POLICY, "the access policy", sentence, remedy)

    def waiting(self, found: Finding, checks: Iterable[str], what: str) -> Iterator[Finding]:
        """
        Return the findings of checks that wait for an event that could not be read.

        :param found: the problem with the event. The check of its name is left out.
        :param checks: the checks.
        :param what: the event.
        """
        for check in checks:
            if check != found.check:
                yield cannot_be_told(check, f"Cannot be checked before {what} can be read.")


def _told(error: GraphError) -> tuple[str, str]:
    request_id = f" [request-id {error.request_id}]" if error.request_id else ""
    sentence = f"Graph answered {error.reason.rstrip('.')}{request_id}."
    return sentence, error.advice or "Look the answer up at https://learn.microsoft.com/graph/errors"
