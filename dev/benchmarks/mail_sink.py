"""``python -m dev.benchmarks.mail_sink``: a mail server in a process of its own that accepts and forgets each mail."""

from __future__ import annotations

import itertools
import socketserver
import subprocess
import sys
from types import TracebackType

_COUNT = b"XCOUNT"


class MailSink:
    """
    A mail server on this machine.

    :ivar port: its port.
    """

    def __enter__(self) -> MailSink:
        command = [sys.executable, "-m", "dev.benchmarks.mail_sink"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def counts(self) -> tuple[int, int]:
        """Return how many connections and mails there were since the last call."""
        import smtplib

        with smtplib.SMTP("127.0.0.1", self.port) as client:
            _, said = client.docmd(_COUNT.decode())
        connections, mails = said.split()
        # The one that asks is a connection too.
        return int(connections) - 1, int(mails)


class _Books:
    connections = 0
    mails = 0


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        _Books.connections += 1
        self._say(b"220 sink")
        for line in self.rfile:
            command = line.split()[0].upper() if line.split() else b""
            if command == b"DATA":
                self._say(b"354 go on")
                all(itertools.takewhile(lambda one: one != b".\r\n", self.rfile))
                _Books.mails += 1
            if command == b"EHLO":
                self._say(b"250-sink\r\n250 SMTPUTF8")
            elif command == _COUNT:
                self._say(f"250 {_Books.connections} {_Books.mails}".encode())
                _Books.connections = _Books.mails = 0
            elif command == b"QUIT":
                self._say(b"221 bye")
                return
            else:
                self._say(b"250 ok")

    def _say(self, what: bytes) -> None:
        self.wfile.write(what + b"\r\n")


def main() -> None:
    """Serve until the process ends."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Conversation) as server:
        server.daemon_threads = True
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
