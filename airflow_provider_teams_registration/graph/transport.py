"""The HTTP session that Entra and Graph share: the connection's certificates, proxies and time limit."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from airflow_provider_teams_registration.exceptions import ServiceUnreachable, SettingsError, Stopped
from airflow_provider_teams_registration.graph.proxies import read_proxies
from airflow_provider_teams_registration.graph.secret import bare
from airflow_provider_teams_registration.graph.settings import GraphSettings
from airflow_provider_teams_registration.graph.time_limit import LimitedAdapter, within


class _NoAuth(AuthBase):
    """Keeps requests from replacing our bearer token with what a ``.netrc`` says of the host."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class HttpSession(requests.Session):
    """
    A requests session in which the connection's ``verify`` and ``proxies`` win over the environment.

    Plain requests lets ``REQUESTS_CA_BUNDLE`` and ``HTTPS_PROXY`` override what is set on a session. This session
    follows no redirect: secrets and tokens would go along.

    :param settings: the connection's settings. Each call, from the look-up of the host's name to the end of the body,
        ends within ``timeout``.
    :param stop: once it is set, nothing is sent any more. By default it never is.
    :ivar stop: the same.
    """

    def __init__(self, settings: GraphSettings, stop: threading.Event | None = None) -> None:
        super().__init__()
        self.auth = _NoAuth()
        self.mount("https://", LimitedAdapter())
        self.mount("http://", LimitedAdapter())
        self.stop = stop or threading.Event()
        self._timeout = settings.timeout
        self._verify = settings.verify
        self._proxies = None if settings.proxies is None else read_proxies(settings.proxies)
        self._merged: dict[tuple[str, ...], Mapping[str, Any]] = {}

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """
        Make a request. Errors of requests and urllib3 come without the frames that hold what was sent.

        :raises SettingsError: the CA file to trust, the connection's or the environment's, cannot be used.
        :raises Stopped: the task was asked to stop; nothing was sent.
        """
        if self.stop.is_set():
            raise Stopped
        kwargs["timeout"] = self._timeout
        try:
            with within(self._timeout):
                return super().request(method, url, *args, **kwargs)
        except requests.RequestException as error:
            if "NO_CERTIFICATE_OR_CRL_FOUND" not in str(error):
                raise bare(error)  # noqa: B904
        except OSError:
            # What requests does not wrap is its own complaint about the file.
            pass
        except BaseException as error:
            # A task's time limit strikes in the midst of it.
            raise bare(error)  # noqa: B904
        raise self._useless_ca_file()

    def close(self) -> None:
        """Close the connections. A later request reads the environment again."""
        self._merged.clear()
        super().close()

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return where an answer redirects to: nowhere."""

    def _useless_ca_file(self) -> SettingsError:
        environment = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        path = self._verify if isinstance(self._verify, str) else environment
        named_by = "the connection's 'verify'" if isinstance(self._verify, str) else "REQUESTS_CA_BUNDLE"
        return SettingsError(f"The CA file {path!r}, named by {named_by}, is not there or holds no certificate.")

    def merge_environment_settings(self, url, proxies, stream, verify, cert):  # type: ignore[no-untyped-def]
        """
        Let requests read the environment, then put the connection's own word above it.

        The environment is read once per host: requests reads it twice for each call, which costs more than the rest of
        the call's preparation.
        """
        parts = urlsplit(str(url))
        is_plain = not proxies and not stream and verify is None and cert is None
        merged = self._merged.get(parts[:2]) if is_plain else None
        if merged is None:
            merged = super().merge_environment_settings(url, proxies, stream, verify, cert)
            if self._verify is not None:
                merged["verify"] = self._verify
            if self._proxies is not None:
                merged["proxies"] = self._proxies.proxies_for(str(url), merged["proxies"])
            if is_plain:
                self._merged[parts[:2]] = merged
        return {**merged, "proxies": dict(merged["proxies"])}


def connection_failure(address: str, error: requests.RequestException) -> SettingsError | ServiceUnreachable | None:
    """
    Explain a failed request that certainly never reached the service.

    :param address: the host that was asked, for the sentence.
    :param error: what requests raised.
    :return: the error to raise instead; None where the request may have arrived.
    """
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return SettingsError(
            f"The certificate of {address} is not trusted. Put the path of its CA file into the connection's "
            "'verify', or install the CA where Python looks."
        )
    if isinstance(error, requests.ConnectTimeout) or _no_connection(error):
        return ServiceUnreachable(
            f"{address} could not be reached ({type(error).__name__}). Check the address, the proxies and the network."
        )
    return None


def _no_connection(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    if isinstance(reason, ProxyError):
        # A connection that broke behind the proxy is blamed on the proxy too, and then the request had gone through.
        reason = reason.original_error
        if str(reason).startswith("Tunnel connection failed"):
            return True
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
