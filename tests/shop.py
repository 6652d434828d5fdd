"""The driver: a shop in domain words. Callbacks come in encrypted over HTTP from a simulated WeCom; what is checked is
what reached people there, and what the API says.

    anna = shop.wecom.add_contact("Anna", staff="lily", state=code["state"])
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["欢迎,Anna"]

The cast: Lily and Leo follow customers; Anna, Bella and Cora buy; Dan is nobody's contact and must stay unseen.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete
from werkzeug.serving import WSGIRequestHandler, make_server

from bot import simulator
from bot.app import scheduler
from bot.app.create import create_app
from bot.app.demo.driver import Api, Phone
from bot.core.installation import Installation
from bot.core.jobs import perform
from bot.core.settings import Settings
from bot.core.ticks import TickRow
from bot.operators import keys
from bot.wecom.client import wecom_of
from bot.wecom.lane import Lane

CORP_ID, SECRET = "ww0123456789abcdef", "app-secret"


class Shop:
    """One installation, its web server in this process, its WeCom."""

    def __init__(self, installation: Installation, url: str, wecom: Phone) -> None:
        self.installation, self.url, self.wecom = installation, url, wecom
        with installation.transaction("test") as session:
            key = keys.create_api_key(session, "shop", ["all"])
        self.api = Api(url, key)
        self.client = wecom_of(installation)
        self._lane = Lane(installation, self.client)

    def run_jobs(self) -> None:
        """Let everything happen that is due: callbacks arrive, inbox and outbox drain, jobs run."""
        with self.installation.transaction("test") as session:  # a second has passed since segments were looked at
            session.execute(delete(TickRow).where(TickRow.name == "segments.look"))
        scheduler.turn(self.installation)
        for _ in range(20):
            self.wecom.settled()
            if not self._lane.drain() + perform.run_due(self.installation):
                return
        raise AssertionError("there is always something more to do: a loop")

    def pass_time(self, **span: float) -> None:
        """Move the shop's and WeCom's clock: `pass_time(days=3)`, `pass_time(seconds=30)`."""
        self.wecom.sim("POST", "clock", advance_s=timedelta(**span).total_seconds())


@contextlib.contextmanager
def opened(installation_of: Any, settings: Settings, corp: Path | None = None) -> Iterator[Shop]:
    """A shop whose simulator and web server listen on free ports; `installation_of(settings)` makes it one.

    corp: where its WeCom is read from, and written to at the end; without it its cast is new.
    """
    new = corp is None or not corp.exists()
    with simulator.start(CORP_ID, SECRET, data=corp) as wecom, listening() as (listener, url):
        installation = installation_of(
            settings.model_copy(update={"wecom_api_base": f"{wecom.url}/cgi-bin", "public_url": url})
        )
        app = create_app(installation)
        with contextlib.closing(app.extensions["callback_writer"]), served(app, listener):
            phone = Phone(wecom.url)
            if new:
                phone.sim("POST", "apps", agentid=settings.wecom_agent_id)
                for userid, name in (("lily", "莉莉"), ("leo", "李奥")):
                    phone.sim("POST", "staff", userid=userid, name=name)
            token, aes_key = settings.callback_keys("app")
            phone.sim("POST", "callbacks", url=f"{url}/wecom/callback", token=token, aes_key=aes_key)
            yield Shop(installation, url, phone)


@contextlib.contextmanager
def listening() -> Iterator[tuple[socket.socket, str]]:
    """A listening socket on a free port, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.contextmanager
def served(app: Any, listener: socket.socket) -> Iterator[None]:
    """The application behind a real HTTP server on `listener`, in threads of this process."""
    port, door = listener.getsockname()[1], _Door(app)
    server = make_server("127.0.0.1", port, door, threaded=True, request_handler=_Quiet, fd=listener.fileno())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        door.close()


class _Door:
    """Lets requests through until it is closed: threads of kept connections outlive the server that made them, and
    what they did then would use a database that is gone."""

    def __init__(self, app: Any) -> None:
        self._app, self._open, self._inside = app, True, 0
        self._moved = threading.Condition()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        with self._moved:
            if not self._open:
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return []
            self._inside += 1
        try:
            return self._app(environ, start_response)
        finally:
            with self._moved:
                self._inside -= 1
                self._moved.notify()

    def close(self) -> None:
        """Let nobody in any more, and wait for those inside."""
        with self._moved:
            self._open = False
            assert self._moved.wait_for(lambda: not self._inside, timeout=30), "a request does not end"


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of requests that went well."""
