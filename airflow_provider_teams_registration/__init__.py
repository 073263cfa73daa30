"""Enroll people in Microsoft Teams events from Apache Airflow, and hand every one their own join link."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def get_provider_info() -> dict[str, Any]:
    """Describe the provider to Airflow (entry point ``apache_airflow_provider``)."""
    from airflow_provider_teams_registration.provider_info import provider_info

    return provider_info(__version__)
