"""The Airflow home of the runs: an empty metadata database, and copies of the SQLite databases."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

_CONNECTION = "AIRFLOW_CONN_"
_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"


class AirflowHome:
    """
    The folder of one Airflow, which is emptied before every kill.

    :param folder: the folder.
    :param dag_file: the file with the DAG.
    """

    def __init__(self, folder: Path, dag_file: Path) -> None:
        self.folder = folder
        self.database = folder / "airflow.db"
        others = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        bundle = {"name": "crash-test", "classpath": _BUNDLE, "kwargs": {"path": str(dag_file)}}
        self.environment = {
            **others,
            **_kept(),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dag_file.parent),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # The run syncs the bundle of its DAG: the other files beside it have no part in the test.
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.database}",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }

    def renew(self, template: Path | None) -> dict[str, str]:
        """
        Empty the folder.

        :param template: a migrated metadata database to begin with.
        :return: connections in which each SQLite database is a copy, so that every run finds the same.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if template is not None:
            copy_database(template, self.database)
        return _with_copies(_kept(), self.folder)


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database, and what its write-ahead log still holds."""
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)


def _kept() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith((_CONNECTION, "AIRFLOW_VAR_"))}


def _with_copies(connections: Mapping[str, str], folder: Path) -> dict[str, str]:
    copied = dict(connections)
    for name, text in connections.items():
        database = _sqlite_file(text) if name.startswith(_CONNECTION) else None
        if database is not None:
            copy = folder / f"{name.removeprefix(_CONNECTION).lower()}.db"
            if database.is_file():
                copy_database(database, copy)
            copied[name] = json.dumps({"conn_type": "sqlite", "host": str(copy)})
    return copied


def _sqlite_file(connection: str) -> Path | None:
    """Return the file of a SQLite connection, which is written as JSON or as a URI; None for any other connection."""
    if not connection.lstrip().startswith("{"):
        parts = urlsplit(connection)
        return Path(unquote(parts.netloc or parts.path)) if parts.scheme == "sqlite" else None
    try:
        fields = json.loads(connection)
    except ValueError:
        return None
    return Path(str(fields.get("host") or "")) if fields.get("conn_type") == "sqlite" else None
