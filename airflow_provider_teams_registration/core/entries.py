"""The records that a run writes for a registrant: before a request, and with the result."""

from __future__ import annotations

from datetime import datetime

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RecordState, RegistrationRecord
from airflow_provider_teams_registration.core.replacing import replace
from airflow_provider_teams_registration.core.state import Goal, Policy, RegistrantState, State


def claim_of(key: str, external_id: str | None, state: RegistrantState, policy: Policy) -> RegistrationRecord:
    """
    Return the record that the ledger holds from before a request until it gets the result.

    :param key: the registrant's key.
    :param external_id: the caller's own id of the registrant, if it is not the key.
    :param state: the registrant's state.
    :param policy: the settings of the run.
    """
    if policy.goal is Goal.CANCEL:
        # A run that ends before it cancels leaves everything else as it is, above all the link.
        return replace(_as_read(key, state), state=RecordState.CANCELLING)
    is_accepted = state.state is State.ACCEPTED
    return RegistrationRecord(
        key,
        state.fingerprint,
        Outcome.UNKNOWN,
        RecordState.ACCEPTED if is_accepted else RecordState.CLAIMED,
        external_id=external_id,
        first_seen=_first_seen(state),
        version=_version(state),
    )


def result_of(key: str, external_id: str | None, state: RegistrantState, policy: Policy) -> RegistrationRecord:
    """
    Return the record that holds the result.

    A run that cancels puts back the record from before, unless a removal may have taken effect or found nobody. The
    record then keeps the claim to cancel, with which every run looks the registrant up.

    :param key: the registrant's key.
    :param external_id: the caller's own id of the registrant, if it is not the key.
    :param state: the registrant's state, with a result.
    :param policy: the settings of the run.
    """
    result = state.result
    assert result is not None
    if policy.goal is Goal.CANCEL and result.outcome is not Outcome.CANCELLED:
        return _from_before(key, state)
    if policy.goal is Goal.CANCEL:
        before = _as_read(key, state)
        return RegistrationRecord(
            key,
            before.fingerprint,
            Outcome.CANCELLED,
            external_id=before.external_id,
            first_seen=before.first_seen,
            version=before.version,
        )
    problem = result.problem
    return RegistrationRecord(
        key,
        state.fingerprint,
        result.outcome,
        result.record_state(state.record),
        external_id=external_id,
        join_web_url=result.join_web_url,
        registration_id=result.registration_id,
        error=problem.reason if problem else None,
        error_code=problem.code if problem else None,
        request_id=problem.request_id if problem else None,
        first_seen=_first_seen(state),
        version=_version(state),
    )


def _first_seen(state: RegistrantState) -> datetime | None:
    return state.record.first_seen if state.record is not None else None


def _version(state: RegistrantState) -> int:
    return state.record.version if state.record is not None else 0


def _as_read(key: str, state: RegistrantState) -> RegistrationRecord:
    """Return the record as the run read it; if there was none, one with which every run looks the registrant up."""
    if state.record is None:
        return RegistrationRecord(key, "", Outcome.NOT_SENT)
    # Some ledgers return the registrant as a hash.
    return replace(state.record, registrant=key)


def _from_before(key: str, state: RegistrantState) -> RegistrationRecord:
    known = state.removals
    before = known.before or RegistrationRecord(key, "", Outcome.NOT_SENT)
    # The link of a registration that may be removed must not look as if it worked.
    found = RecordState.CANCELLING if known.is_lost or known.confirmed else before.state
    return replace(before, registrant=key, state=found, version=_version(state))
