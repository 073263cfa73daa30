"""The deferral of a task that enrolls people, and how the task goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import timezone

from airflow_provider_teams_registration.exceptions import Fenced, TeamsRegistrationError
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, failures_for_airflow
from airflow_provider_teams_registration.operators.conclusion import ConcludesEnrolling
from airflow_provider_teams_registration.operators.killable import StopsOnKill

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested
    from airflow_provider_teams_registration.events.reference import EventRef
    from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
    from airflow_provider_teams_registration.ledger.base import Ledger


class DefersEnrolling(ConcludesEnrolling, StopsOnKill):
    """
    A task that enrolls people and frees its worker slot during long waits.

    :cvar keeps_input: whether the ledger keeps the rows during a deferral, because the task would have to fetch them
        anew.
    """

    keeps_input: ClassVar[bool] = False

    _deferred_by: int | None = None

    def resume(self, context: Context, event: Any = None) -> Any:
        """
        Continue after a wait. The ledger knows which people are done.

        :param context: the task's context.
        :param event: what the trigger says: the attempt, as the ledger counts them, that asked for the wait; and the
            event's id, if a link names the event.
        """
        deferred_by = event.get("deferred_by") if isinstance(event, dict) else None
        self._deferred_by = deferred_by if isinstance(deferred_by, int) else None
        self.remember_found(event.get("event_id") if isinstance(event, dict) else None)
        try:
            return self.execute(context)
        finally:
            # dag.test() goes on with this object.
            self._deferred_by = None

    def kept_input(self, context: Context) -> list[dict[str, Any]] | None:
        """
        Return the rows that the attempt before a deferral kept; None if there are none.

        :param context: the task's context.
        :raises PermanentFailure: the ledger or the event cannot be right.
        :raises TransientFailure: the ledger is out of reach.
        """
        from airflow_provider_teams_registration.hooks.ledger import open_ledger

        if self._deferred_by is None or not self.ledger_conn_id:
            return None
        try:
            ledger = open_ledger(context, self.ledger_conn_id, self.ledger_table)
        except ValueError as error:
            raise PermanentFailure(str(error)) from None
        try:
            with failures_for_airflow():
                event = self.known_event() or self._look_up()
                return ledger.load_input(event.id, self._deferred_by)
        finally:
            ledger.close()

    def _look_up(self) -> EventRef:
        hook = self.new_hook()
        session = hook.session
        try:
            return self.find_or_stop(hook)
        finally:
            session.close()

    def find_or_stop(self, hook: TeamsRegistrationHook) -> EventRef:
        """
        Return the event, and stop the hook if it cannot be found.

        :param hook: the hook.
        """
        try:
            return self.find_event(hook.session)
        except BaseException:
            hook.stop()
            raise

    def keep_input(self, ledger: Ledger, rows: Iterable[Any] | None) -> None:
        """
        Keep the rows for the attempt that goes on, if the class asks for it.

        :param ledger: the ledger, whose attempt has started.
        :param rows: the rows; None if they are too many.
        """
        if not self.keeps_input or not self.ledger_conn_id or not isinstance(rows, Sequence):
            return
        try:
            is_kept = ledger.save_input(rows)
        except Fenced as error:
            raise PermanentFailure(str(error)) from None
        except TeamsRegistrationError as error:
            self.log.warning("The ledger did not keep the rows, so the query runs again after the wait: %s", error)
            return
        if not is_kept:
            self.log.info(
                "The rows hold values that JSON does not give back, such as dates, so the query runs again after the "
                "wait. To prevent this, convert them to text in the query."
            )

    def postpone(self, request: DeferRequested, attempt: int) -> None:
        """
        Defer the task.

        :param request: how long the run wants to be deferred, and why.
        :param attempt: the attempt that asks for it, as the ledger counts.
        """
        from airflow_provider_teams_registration.triggers.resume import ResumeTrigger

        seconds = request.left
        why = "The write quota is used up for" if request.is_for_quota else "The service asks for a wait of"
        self.log.info("%s %.0f s. Deferring the task, which frees its worker slot.", why, seconds)
        moment = timezone.utcnow() + timedelta(seconds=seconds)
        trigger = ResumeTrigger(moment=moment.isoformat(), deferred_by=attempt, event_id=self.found_id())
        self.defer(trigger=trigger, method_name="resume")
