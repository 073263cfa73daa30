"""The emulator as a server: in a thread of a test, or for as long as a command runs."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn

from airflow_provider_teams_registration.emulator import seeded
from airflow_provider_teams_registration.emulator.application import make_application
from airflow_provider_teams_registration.emulator.books import Books
from airflow_provider_teams_registration.emulator.certificate import certificate_files
from airflow_provider_teams_registration.emulator.connections import BreakableProtocol
from airflow_provider_teams_registration.emulator.faults import Fault, Faults
from airflow_provider_teams_registration.emulator.limiter import Limiter
from airflow_provider_teams_registration.emulator.switches import Switches


class _Server(uvicorn.Server):
    """
    Uvicorn's server, which says when it serves: from then on a signal ends it in good order.

    :param config: uvicorn's configuration.
    :param announce: what to call then.
    """

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve."""
        await super().startup(sockets)
        self._announce()


class Emulator:
    """
    A stateful Microsoft Entra and Microsoft Graph on https.

    .. code-block:: python

        with Emulator() as emulator:
            os.environ["AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT"] = json.dumps(emulator.connection())
            ...
            assert len(emulator.books.enrolled(emulator.meeting_id)) == 57

    :param host: address to listen on; loopback by default.
    :param port: port to listen on; 0 takes a free one.
    :param directory: where the certificate is kept; by default a temporary directory that goes with the emulator.
    :param switches: switches to begin with, by name.
    :ivar books: who is really enrolled, and the journal.
    """

    tenant_id = seeded.TENANT_ID
    client_id = seeded.CLIENT_ID
    client_secret = seeded.CLIENT_SECRET
    refresh_token = seeded.REFRESH_TOKEN
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
        switches: dict[str, Any] | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.books = Books()
        self.faults = Faults()
        self.limiter = Limiter(lambda: self.switches)
        self._first_switches = Switches().changed(switches or {})
        self.switches = self._first_switches
        self._temporary = None if directory else tempfile.TemporaryDirectory(prefix="teams-registration-")
        self._files = certificate_files(directory or Path(self._temporary.name if self._temporary else ""), host)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Address of both Entra and Graph."""
        return f"https://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def ca_file(self) -> str:
        """The CA to trust: the connection's ``verify``."""
        return str(self._files.ca)

    def connection(self, auth: str = "client_secret") -> dict[str, Any]:
        """
        Return the Airflow connection to this emulator, ready for ``json.dumps``.

        :param auth: ``client_secret`` for the application, ``refresh_token`` for the signed-in organizer.
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
        return {
            "conn_type": "teams_registration",
            "login": self.client_id,
            "password": self.client_secret,
            "extra": extra,
        }

    def add_fault(self, route: str, **rule: Any) -> None:
        """Let something go wrong; the arguments are those of :class:`.faults.Fault`."""
        self.faults.add(Fault(route, **rule))

    def clear_faults(self) -> None:
        """Let nothing go wrong any more."""
        self.faults.clear()

    def set_switches(self, **values: Any) -> None:
        """
        Set switches anew, by name.

        :raises BadSwitch: there is no such switch, or it does not take that value.
        """
        self.switches = self.switches.changed(values)

    def clear_journal(self) -> None:
        """Forget which requests were made."""
        with self.books.lock:
            self.books.journal.clear()
            self.books.sign_ins.clear()

    def reset(self) -> None:
        """Go back to how it began: seeded events, nobody on them, no faults, the first switches."""
        self.books.reset()
        self.faults.clear()
        self.limiter.clear()
        self.switches = self._first_switches

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
        self.books.late_writes.discard()
        if self._temporary is not None:
            self._temporary.cleanup()

    def run(self, announce: Callable[[], None] = lambda: None) -> None:
        """
        Serve until the process is told to stop.

        :param announce: called once the port is known and requests are answered.
        :raises OSError: the port is taken, or the address is not of this machine.
        """
        listening, server = self._listen(announce)
        server.run([listening])

    def _listen(self, announce: Callable[[], None] = lambda: None) -> tuple[socket.socket, uvicorn.Server]:
        """From here on connections are taken in, though answered only once the server runs: nobody needs to wait."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # Asyncio sends small answers at once only on a socket that names its protocol; otherwise each waits 40 ms.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((self.host, self.port))
        except (OSError, OverflowError) as error:
            listening.close()
            reason = getattr(error, "strerror", None) or error
            raise OSError(f"The emulator cannot listen on {self.host}:{self.port}: {reason}.") from None
        listening.listen(128)
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            make_application(self),
            http=BreakableProtocol,
            log_level="critical",
            access_log=False,
            lifespan="off",
            # A forwarded address would hide which connection a fault is to break.
            proxy_headers=False,
            ssl_certfile=str(self._files.certificate),
            timeout_graceful_shutdown=1,
        )
        return listening, _Server(config, announce)
