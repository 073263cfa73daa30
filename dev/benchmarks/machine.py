"""Where the figures were measured."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = (
    "airflow-provider-teams-registration",
    "apache-airflow",
    "apache-airflow-providers-microsoft-azure",
    "apache-airflow-providers-http",
    "msgraph-beta-sdk",
    "httpx",
    "requests",
)


def machine() -> dict[str, str | int | float]:
    """Return the machine, the versions, the time, and how busy it was before."""
    return {
        "measured": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "CPUs": os.cpu_count() or 0,
        "load before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
