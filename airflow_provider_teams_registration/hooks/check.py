"""The checks of a connection in Airflow: those of the doctor, of the operator and of the connection's test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.doctor.chain import check, check_connection
from airflow_provider_teams_registration.doctor.event_query import EventQuery
from airflow_provider_teams_registration.doctor.finding import Finding, Verdict, exit_status, interrupted, missing
from airflow_provider_teams_registration.exceptions import SettingsError, Stopped
from airflow_provider_teams_registration.hooks.missing_connection import BEFORE_COMMAND

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.session import GraphSession
    from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook

_SHOWN_BY_TEST = ("identity", "permissions")


def run_checks(
    hook: TeamsRegistrationHook,
    query: EventQuery,
    *,
    needs_attendance: bool = False,
    ledger_conn_id: str | None = None,
    ledger_table: str | None = None,
) -> list[Finding]:
    """
    Check a hook's connection, an event and a ledger.

    :param hook: the hook.
    :param query: the event.
    :param needs_attendance: whether a missing permission for attendance counts. Default False.
    :param ledger_conn_id: Airflow connection to the ledger's database; None checks no ledger.
    :param ledger_table: the ledger's table; None is the one that operators take by default.
    """
    from airflow_provider_teams_registration.hooks.sql import sql_engine
    from airflow_provider_teams_registration.ledger.sql.tables import DEFAULT_TABLE

    def all_of(session: GraphSession) -> Iterator[Finding]:
        return check(
            session,
            query,
            needs_attendance=needs_attendance,
            open_ledger=(lambda: sql_engine("ledger_conn_id", ledger_conn_id)) if ledger_conn_id else None,
            ledger_table=ledger_table or DEFAULT_TABLE,
        )

    return _collect(hook, all_of)


def connection_test(hook: TeamsRegistrationHook) -> tuple[bool, str]:
    """
    Return what Airflow's test of a connection shows.

    :param hook: the hook.
    :return: False if a problem keeps everybody from being enrolled; and the sentences.
    """
    findings = _collect(hook, lambda session: iter(check_connection(session)[0]))
    is_good = exit_status(findings) == 0
    shown = [one for one in findings if one.check in _SHOWN_BY_TEST or one.verdict is not Verdict.FINE]
    return is_good, " ".join(" ".join(filter(None, [one.sentence, one.remedy])) for one in shown)


def _collect(hook: TeamsRegistrationHook, checks: Callable[[GraphSession], Iterator[Finding]]) -> list[Finding]:
    """Run checks; whatever goes wrong is a finding."""
    found: list[Finding] = []
    try:
        session = hook.session
    except SettingsError as error:
        said, _, remedy = str(error).partition(BEFORE_COMMAND)
        return [missing("connection", said, remedy or "Correct the field: docs/sign-in.md says what it takes.")]
    except Exception as error:
        # Its text may hold what was typed into a field.
        said = f"The connection {hook.conn_id!r} cannot be read ({type(error).__name__})."
        return [missing("connection", said, f"airflow connections get {hook.conn_id}")]
    try:
        for one in checks(session):
            found.append(one)
    except Stopped:
        raise
    except Exception as error:
        found.append(interrupted("doctor", f"The checks ended early at an unforeseen {type(error).__name__}."))
    return found
