"""Push counts and rows to XCom, and describe what Airflow did not accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.core.report import Report

SUMMARY_KEY = "summary"
_OURS = __name__.partition(".")[0]


class PushesRows(BaseOperator):
    """
    A task that pushes its counts and its rows to XCom itself.

    Airflow pushes the return value of ``execute`` after the task's code has ended. If that push fails, the task fails
    with an error of Airflow or of its database, which does not name XCom or the ledger and may quote rows.
    """

    _is_result_pushed = False

    def begin_pushing(self) -> None:
        """Forget the push of an earlier attempt in the same process, which ``dag.test()`` makes."""
        if self._is_result_pushed:
            self.do_xcom_push, self._is_result_pushed = True, False

    @property
    def is_result_left_to_airflow(self) -> bool:
        """Whether Airflow still has to push the return value of ``execute``."""
        return bool(self.do_xcom_push)

    def push_summary(self, context: Context, summary: dict[str, Any]) -> str | None:
        """Push the counts. Return why Airflow did not accept them, or None."""
        return _push(context, SUMMARY_KEY, summary)

    def push_rows(self, context: Context, value: Any, *, will_fail: bool) -> str | None:
        """
        Push the rows, or the reference to them, if the task pushes to XCom at all.

        :param context: the task's context.
        :param value: the return value of ``execute``.
        :param will_fail: whether the task fails. Airflow pushes nothing after a failure.
        :return: why Airflow did not accept the value; None if it did, or if it will push the value itself.
        """
        if not self.do_xcom_push or not (will_fail or self._may_push_in_place_of_airflow(context)):
            return None
        # In Airflow 3 this imports the models of the database.
        from airflow.providers.common.compat.sdk import XCOM_RETURN_KEY

        why = _push(context, XCOM_RETURN_KEY, value)
        if why is None and not will_fail:
            # Airflow reads this afterwards. A second push would take the same time again, and a backend that stores
            # values in files would never delete the first file.
            self.do_xcom_push, self._is_result_pushed = False, True
        return why

    def _may_push_in_place_of_airflow(self, context: Context) -> bool:
        """Return whether Airflow would push the same value in the same way."""
        is_mapped_over = context["ti"].map_index < 0 and next(iter(self.iter_mapped_dependants()), None) is not None
        is_overridden = not type(self).execute.__module__.startswith(f"{_OURS}.")
        return not (is_mapped_over or is_overridden or self.multiple_outputs)


def missing_in_xcom(rows: str | None, summary: str | None, *, is_reference: bool = False) -> str:
    """
    Return sentences about the values that did not reach XCom; an empty text if all did.

    :param rows: why Airflow did not accept the rows.
    :param summary: why it did not accept the counts.
    :param is_reference: whether the task pushes a reference instead of the rows.
    """
    what = [(f"the counts (key {SUMMARY_KEY!r})", summary)]
    what.append(("the reference to the rows" if is_reference else "the rows with the links", rows))
    return " ".join(f"Airflow did not take {named} into XCom ({why})." for named, why in what if why)


def describe_retry(
    report: Report, place: str | None, *, reads_links_again: bool, has_room: bool, is_too_much: bool
) -> str:
    """
    Describe where the outcomes are that XCom does not hold, and what a retry does.

    :param report: the outcomes of the run.
    :param place: where the durable ledger is; None if the ledger is not durable, or lacks the links.
    :param reads_links_again: whether a later read of the event shows the links.
    :param has_room: whether the ledger can hold rows.
    :param is_too_much: whether the rows may have been too large for XCom.
    """
    from airflow_provider_teams_registration.exceptions import LedgerFailure

    advice = ""
    if is_too_much:
        needed = "" if has_room else "name a ledger_conn_id and "
        advice = f" If the rows are too large for XCom, {needed}lower xcom_limit: then they stay in the ledger."
    if place is None:
        links = "reads their links again" if reads_links_again else "has no links for them"
        return (
            "No durable ledger has the outcomes with their links. A retry sends nobody again who is on the event: it "
            f"returns these people as 'already_enrolled' and {links}.{advice}"
        )
    if isinstance(report.aborted_by, LedgerFailure):
        return (
            f"The ledger ({place}) failed too and may lack the last outcomes. A retry reads the event before it sends "
            f"anybody again.{advice}"
        )
    return (
        f"The ledger has the outcomes of all ({place}). A retry, or a clear of this task, returns the same rows and "
        f"sends nobody again who is on the event.{advice}"
    )


def _push(context: Context, key: str, value: Any) -> str | None:
    try:
        context["ti"].xcom_push(key=key, value=value)
    except Exception as error:
        # The error's text may hold the value. Airflow's own errors have a kind.
        kind = getattr(getattr(getattr(error, "error", None), "error", None), "value", None)
        return ": ".join(filter(None, [type(error).__name__, kind if isinstance(kind, str) else None]))
    return None
