"""A registrant and their state, as the runner tracks them."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_teams_registration.core.entries import claim_of, result_of
from airflow_provider_teams_registration.core.lifecycle import advance
from airflow_provider_teams_registration.core.outcome import Enrollment
from airflow_provider_teams_registration.core.record import RegistrationRecord
from airflow_provider_teams_registration.core.result import Result
from airflow_provider_teams_registration.core.state import Effect, Input, Policy, RegistrantState
from airflow_provider_teams_registration.events.base import Registrant


@dataclass(eq=False)
class Tracked:
    """
    One registrant with their state and the next effect.

    :param registrant: the registrant.
    :param policy: the settings that the decisions depend on.
    :ivar state: the registrant's state.
    :ivar effect: the effect that the runner executes next.
    """

    registrant: Registrant
    policy: Policy
    state: RegistrantState = field(init=False)
    effect: Effect = field(init=False, default=Effect.ASK_LEDGER)

    def __post_init__(self) -> None:
        self.state = RegistrantState(fingerprint=self.registrant.fingerprint)

    @property
    def key(self) -> str:
        """The key that identifies the registrant on the event."""
        return self.registrant.key

    @property
    def result(self) -> Result:
        """The registrant's result. It must be decided."""
        assert self.state.result is not None
        return self.state.result

    def advance(self, event: Input, now: float) -> Effect:
        """Apply an input. Return the next effect."""
        self.state, self.effect = advance(self.state, event, self.policy, now)
        return self.effect

    def claim(self) -> RegistrationRecord:
        """Return the record that the ledger holds from before the request until it gets the result."""
        return claim_of(self.key, self.registrant.external_id, self.state, self.policy)

    def record(self) -> RegistrationRecord:
        """Return the record that holds the result."""
        return result_of(self.key, self.registrant.external_id, self.state, self.policy)

    def enrollment(self) -> Enrollment:
        """Return the row that the task returns."""
        result, problem = self.result, self.result.problem
        return Enrollment(
            self.registrant.position,
            self.registrant.row,
            result.outcome,
            join_web_url=result.join_web_url,
            error=problem.text if problem else None,
            reason=problem.reason if problem else None,
            transient=problem is not None and problem.is_transient,
            is_link_missing=result.is_link_missing,
            link_forbidden=result.link_forbidden,
            is_changed=result.is_changed,
            registration_id=result.registration_id,
            registrant=self.key,
        )
