"""A proxy on this machine that tests send their traffic through."""

import socket
import threading


class Proxy:
    """
    A real HTTP proxy that opens tunnels.

    :param leads_to: the port on this machine that every tunnel leads to. By default a tunnel leads where it was asked.
    :ivar asked: the targets of all tunnels asked for, in order.
    """

    def __init__(self, leads_to: int | None = None) -> None:
        self._leads_to = leads_to
        self.asked: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listening]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._tunnel, args=[client], daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        asked = client.makefile("rb")
        if not (request := asked.readline()):
            # The client has given up.
            return
        target = request.decode().split(" ")[1]
        while asked.readline().strip():
            continue
        self.asked.append(target)
        host, port = target.rsplit(":", 1)
        there = (host, int(port)) if self._leads_to is None else ("127.0.0.1", self._leads_to)
        server = socket.create_connection(there)
        self._open.append(server)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=_pass_on, args=[server, client], daemon=True).start()
        _pass_on(client, server)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
