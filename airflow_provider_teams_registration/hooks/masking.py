"""Call Airflow's secrets masker. Its module differs between versions."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = ("airflow.sdk.log", "airflow.sdk.execution_time.secrets_masker", "airflow.utils.log.secrets_masker")


def mask_secret(secret: str) -> None:
    """Keep a secret out of every log that Airflow writes after this call."""
    _found("mask_secret")(str(secret))


async def mask_secret_in_triggerer(secret: str) -> None:
    """
    Keep a secret out of every log that the triggerer writes after this call. Call it in the event loop.

    Newer versions of Airflow also send the secret to the triggerer's parent process, without blocking the loop.
    """
    mask = _found("amask_secret")
    if mask is None:
        mask_secret(secret)
    else:
        await mask(str(secret))


def _found(name: str) -> Any:
    for home in _HOMES:
        try:
            return getattr(import_module(home), name)
        except (ImportError, AttributeError):
            continue
    if name == "mask_secret":
        raise ImportError("This Airflow has no secrets masker.")
    return None
