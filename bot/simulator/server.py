"""A small threaded HTTP/1.1 server that keeps connections, which werkzeug's own closes after every answer."""

import io
import socket
import threading
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Response


class Handler(WSGIRequestHandler):
    """One connection. Each request's body is read whole before the application runs, so the next one can follow."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; waiting for the first's ACK costs 40 ms

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)  # type: ignore[attr-defined]  # Server, below

    def finish(self) -> None:
        self.server.connections.discard(self.connection)  # type: ignore[attr-defined]  # Server, below
        super().finish()

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        body = environ["wsgi.input"].read() if "wsgi.input_terminated" in environ else self._counted()
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        response = Response.from_app(self.server.app, environ, buffered=True)
        content = response.get_data()
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _counted(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: the record of calls says more."""


class Server(ThreadedWSGIServer):
    """Serves in a thread of its own from `start` to `stop`."""

    def __init__(self, host: str, port: int, app: Any) -> None:
        self.connections: set[socket.socket] = set()
        with socket.create_server((host, port), backlog=128) as bound:  # werkzeug's own binding exits the process
            super().__init__(host, port, app, Handler, fd=bound.fileno())
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Accept nothing more and cut the connections that are kept, as a server that went away."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.connections.discard(connection)  # the other side was first
