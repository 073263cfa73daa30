"""The sentences about a connection that Airflow does not have."""

from __future__ import annotations

from airflow_provider_teams_registration.exceptions import SettingsError

BEFORE_COMMAND = " To create it: "
"""What separates, in the error, the problem from the command that solves it."""


def unknown_connection(argument: str, conn_id: str) -> str:
    """
    Return what is wrong, without a full stop and without what to do.

    :param argument: the argument that names the connection.
    :param conn_id: the connection.
    """
    return f"{argument} is {conn_id!r}, and Airflow knows no such connection, or cannot read it"


def missing_connection(conn_id: str) -> SettingsError:
    """
    Return the error about a missing connection to Graph, which says how to create the connection.

    :param conn_id: the connection.
    """
    # Airflow before 3.2 says the same if extra is no JSON object.
    return SettingsError(
        f"{unknown_connection('conn_id', conn_id)}. If it exists, Airflow's log says what it could not read."
        f"{BEFORE_COMMAND}airflow connections add {conn_id} --conn-type teams_registration "
        "--conn-schema TENANT_ID --conn-login CLIENT_ID --conn-password CLIENT_SECRET"
    )
