"""An Airflow of the demo's own: its home, its connections, its variables."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_teams_registration.emulator.server import Emulator
    from dev.demo.mail_sink import MailSink

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".demo"
DATABASE = HOME / "airflow" / "airflow.db"
WAREHOUSE = HOME / "warehouse.db"
AIRFLOW = Path(sys.executable).parent / "airflow"


def environment(emulator: Emulator, mail_sink: MailSink) -> dict[str, str]:
    """
    Return the environment in which Airflow finds everything, and nothing of another Airflow on this machine.

    :param emulator: the running emulator.
    :param mail_sink: the running mail server.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    smtp = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": mail_sink.port,
        "extra": {"disable_ssl": True, "disable_tls": True},
    }
    return own | {
        # 'airflow standalone' starts its parts by name.
        "PATH": os.pathsep.join([str(AIRFLOW.parent), os.environ.get("PATH", "")]),
        "AIRFLOW_HOME": str(HOME / "airflow"),
        # SQLite locks up under many tasks at once.
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{DATABASE}",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "sqlite", "host": str(WAREHOUSE)}),
        "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(smtp),
        "AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT": json.dumps(emulator.connection()),
        "AIRFLOW_VAR_TEAMS_MEETING_ID": emulator.meeting_id,
        "AIRFLOW_VAR_TEAMS_ORGANIZER_ID": emulator.organizer_id,
        "AIRFLOW_VAR_TEAMS_WEBINAR_ID": emulator.waitlist_webinar_id,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def ui_environment(port: int) -> dict[str, str]:
    """
    Return the settings of Airflow's UI.

    :param port: the port that the UI listens on.
    """
    return {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://localhost:{port}",
        # The form of a connection gets its test button.
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
    }
