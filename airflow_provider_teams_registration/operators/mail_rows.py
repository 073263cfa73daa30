"""The rows of the people whom a task mails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure
from airflow_provider_teams_registration.xcom.masked_rows import RegistrantRows, mask_rendered, returned_rows

if TYPE_CHECKING:
    import threading

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.ledger.mail import MailLedger
    from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator


def upstream_tasks(registrants: Any) -> list[str]:
    """Return the ids of the tasks whose rows an argument takes, as far as the DAG's text says."""
    if hasattr(registrants, "iter_references"):
        references = registrants.iter_references()
    elif isinstance(registrants, Mapping | list | tuple):
        references = XComArg.iter_xcom_references(registrants)
    else:
        return []
    return list(dict.fromkeys(str(task.task_id) for task, key in references if key == "return_value"))


def given_rows(operator: MailJoinLinksOperator, context: Context, stop: threading.Event) -> list[Any] | None:
    """
    Return the rows, with references in them; None if XCom does not hold them in time.

    :param operator: the operator.
    :param context: the task's context.
    :param stop: ends the wait once it is set.
    :raises PermanentFailure: ``registrants`` holds no rows, and no task will hand them over.
    """
    held = mask_rendered(operator.registrants)
    if isinstance(held, RegistrantRows):
        return list(held.rows)
    if held.why:
        raise PermanentFailure(held.why)
    if not operator.rows_of:
        raise PermanentFailure("registrants is neither a list of dicts nor the result of a task that enrolls.")
    operator.log.info(
        "XCom holds no rows yet. A task that failed may hand them over late; waiting for up to %.0f s.",
        operator.wait_for_rows,
    )
    for _ in range(round(operator.wait_for_rows)):
        if stop.wait(1.0):
            break
        found = [context["ti"].xcom_pull(task_ids=task_id) for task_id in operator.rows_of]
        late = mask_rendered([one for one in found if one is not None] or None)
        if isinstance(late, RegistrantRows):
            return list(late.rows)
    return None


def rows_to_mail(
    operator: MailJoinLinksOperator, given: list[Any] | None, event: EventRef | None, ledger: MailLedger
) -> list[Any]:
    """
    Return the rows without references in them, or the people whom the ledger knows if XCom holds no rows.

    :param operator: the operator.
    :param given: the rows, with references in them; None if XCom does not hold them.
    :param event: the event, if it is known.
    :param ledger: the ledger, whose attempt has started.
    :raises TransientFailure: XCom holds no rows, and the ledger knows no addresses.
    :raises TeamsRegistrationError: a ledger cannot be read.
    """
    from airflow_provider_teams_registration.mail.job import rows_of_ledger

    if given is not None:
        return returned_rows(given)
    if event is None or event.kind.is_keyed_by_id or not ledger.is_shared:
        raise TransientFailure(
            "XCom holds no rows of the task that enrolls, and no ledger knows the addresses. Nobody was mailed. Clear "
            "the task that enrolls, or give its input rows as registrants, with a ledger_conn_id."
        )
    rows = rows_of_ledger(ledger.everybody())
    operator.log.warning("XCom holds no rows. Mailing the %s people of the ledger.", f"{len(rows):,}")
    return rows
