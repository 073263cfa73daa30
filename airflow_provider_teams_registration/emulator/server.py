"""The emulator as a server, in a thread of a test or for as long as a command runs."""

from __future__ import annotations

import ipaddress
import socket
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from starlette.types import ASGIApp

from airflow_provider_teams_registration.emulator.application import make_application
from airflow_provider_teams_registration.emulator.entra.managed_identity import machine_environment
from airflow_provider_teams_registration.emulator.http.certificate import certificate_files
from airflow_provider_teams_registration.emulator.http.server import AnnouncingServer, https_server, listen
from airflow_provider_teams_registration.emulator.store import seeded
from airflow_provider_teams_registration.emulator.tenant import EmulatedTenant


class Emulator(EmulatedTenant):
    """
    A stateful Microsoft Entra and Microsoft Graph on https.

    .. code-block:: python

        with Emulator() as emulator:
            os.environ["AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT"] = json.dumps(emulator.connection())
            ...
            assert len(emulator.store.enrolled(emulator.meeting_id)) == 57

    :param host: address to listen on; loopback by default.
    :param port: port to listen on; 0 takes a free one.
    :param directory: directory that keeps the certificate; by default a temporary one, removed with the emulator.
    :param switches: the initial values of switches, by name.
    :param middleware: puts an ASGI application in front of the emulator's own, given that one.
    :raises BadSwitch: there is no such switch, or it does not take that value.
    """

    tenant_id = seeded.TENANT_ID
    tenant_domain = seeded.TENANT_DOMAIN
    client_id = seeded.CLIENT_ID
    client_secret = seeded.CLIENT_SECRET
    refresh_token = seeded.REFRESH_TOKEN
    user_identity_id = seeded.USER_IDENTITY_ID
    organizer_id = seeded.ORGANIZER_ID
    meeting_id = seeded.MEETING_ID
    organization_meeting_id = seeded.ORGANIZATION_MEETING_ID
    closed_meeting_id = seeded.CLOSED_MEETING_ID
    event_id = seeded.EVENT_ID
    organization_event_id = seeded.ORGANIZATION_EVENT_ID
    closed_event_id = seeded.CLOSED_EVENT_ID
    webinar_id = seeded.WEBINAR_ID
    questions_webinar_id = seeded.QUESTIONS_WEBINAR_ID
    waitlist_webinar_id = seeded.WAITLIST_WEBINAR_ID
    small_webinar_id = seeded.SMALL_WEBINAR_ID
    approval_webinar_id = seeded.APPROVAL_WEBINAR_ID
    draft_webinar_id = seeded.DRAFT_WEBINAR_ID
    canceled_webinar_id = seeded.CANCELED_WEBINAR_ID

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        directory: Path | None = None,
        switches: Mapping[str, Any] | None = None,
        middleware: Callable[[ASGIApp], ASGIApp] = lambda application: application,
    ) -> None:
        self._temporary = None if directory else tempfile.TemporaryDirectory(prefix="teams-registration-")
        kept_in = directory or Path(self._temporary.name if self._temporary else "")
        super().__init__(switches, kept_in)
        self.host = host
        self.port = port
        self._files = certificate_files(kept_in, host)
        self._middleware = middleware
        self._address = host
        self._server: AnnouncingServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address of both Entra and Graph."""
        return f"https://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def is_on_loopback(self) -> bool:
        """Whether only programs of this machine reach the emulator; known once it listens."""
        return ipaddress.ip_address(self._address).is_loopback

    @property
    def ca_file(self) -> str:
        """The CA file to trust, for the connection's ``verify``."""
        return str(self._files.ca)

    def connection(self, auth: str = "client_secret") -> dict[str, Any]:
        """
        Return the Airflow connection to this emulator, ready for ``json.dumps``.

        :param auth: ``refresh_token`` for the signed-in organizer; ``client_secret``, ``certificate``,
            ``workload_identity``, ``managed_identity`` or ``default`` for the application. The last two also need the
            environment: :meth:`machine_environment`.
        """
        extra = {
            "tenant_id": self.tenant_id,
            "authority": self.url,
            "base_url": self.url,
            "verify": self.ca_file,
            "disable_instance_discovery": True,
            "auth": auth,
        }
        if auth == "refresh_token":
            extra["refresh_token"] = self.refresh_token
        if auth == "certificate":
            extra["certificate_path"] = str(self.assertions.certificate_file())
        if auth == "workload_identity":
            extra["federated_token_file"] = str(self.assertions.federated_token_file())
        return {
            "conn_type": "teams_registration",
            "login": "" if auth in ("managed_identity", "default") else self.client_id,
            "password": self.client_secret if auth in ("client_secret", "refresh_token") else "",
            "extra": extra,
        }

    def machine_environment(self, machine: str = "vm") -> dict[str, str]:
        """
        Return the environment variables by which a program finds its managed identity.

        :param machine: ``vm``, ``app_service`` or ``arc``.
        """
        return machine_environment(self.url, machine)

    def __enter__(self) -> Emulator:
        listening, server = self._listen()
        self._server = server
        self._thread = threading.Thread(target=server.run, args=([listening],), name="emulator", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            self._thread.join()
        self.store.delayed_writes.discard()
        if self._temporary is not None:
            self._temporary.cleanup()

    def run(self, announce: Callable[[], None] = lambda: None) -> None:
        """
        Serve until the process is told to stop.

        :param announce: called once the port is known and requests are answered.
        :raises OSError: the port is taken, or the address does not belong to this machine.
        """
        listening, server = self._listen(announce)
        server.run([listening])

    def _listen(self, announce: Callable[[], None] = lambda: None) -> tuple[socket.socket, AnnouncingServer]:
        listening = listen(self.host, self.port)
        # The host may be a name, or empty for every address.
        self._address, self.port = listening.getsockname()[:2]
        application = self._middleware(make_application(self))
        return listening, https_server(application, self._files.certificate, announce)
