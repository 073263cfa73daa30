"""Warn that Entra has replaced a refresh token by a newer one."""

from __future__ import annotations

import logging


def warn_of_rotation(log: logging.Logger, conn_id: str, *, serves: str, kept_in: str = "") -> None:
    """
    Warn that the connection holds an old refresh token, and say what to do. Mask the new token before this call.

    :param log: the logger that writes the warning.
    :param conn_id: the connection's id.
    :param serves: how long the task uses the new token, such as ``the rest of this run``.
    :param kept_in: another way to keep the new token.
    """
    log.warning(
        "Entra has rotated the refresh token of connection %r. This process uses the new token for %s and does not "
        "store it. Before the old token expires, sign in again with 'teams-registration refresh-token'%s.",
        conn_id,
        serves,
        kept_in,
    )
