"""A task that ends soon after Airflow asks it to."""

from __future__ import annotations

from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook


class StopsOnKill:
    """
    A task whose waits end at once when it is killed, and whose requests under way end within the connection's
    ``timeout``. Airflow 3 kills a task that does not end by itself.
    """

    conn_id: str

    def new_hook(self) -> TeamsRegistrationHook:
        """Return a hook that :meth:`on_kill` stops. Each execution needs one of its own: a stop lasts."""
        self._hook_in_use = TeamsRegistrationHook(self.conn_id)
        return self._hook_in_use

    def on_kill(self) -> None:
        """End the waits, and send nothing more."""
        hook: TeamsRegistrationHook | None = vars(self).get("_hook_in_use")
        if hook is not None:
            hook.stop()
