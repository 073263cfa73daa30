"""Airflow's secrets masker, wherever the version at hand keeps it."""

from __future__ import annotations

from importlib import import_module

_HOMES = ("airflow.sdk.log", "airflow.sdk.execution_time.secrets_masker", "airflow.utils.log.secrets_masker")


def mask_secret(secret: str) -> None:
    """Keep a secret out of every log that Airflow writes from here on."""
    for home in _HOMES:
        try:
            mask = import_module(home).mask_secret
        except (ImportError, AttributeError):
            continue
        mask(secret)
        return
    raise ImportError("This Airflow has no secrets masker.")
