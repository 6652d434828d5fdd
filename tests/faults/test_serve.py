"""The port is surely ours, and only our own installation is believed."""

import socket
from collections.abc import Iterator
from threading import Thread

import pytest
from werkzeug import Request, Response
from werkzeug.serving import make_server

from bot.app import serve
from bot.app.serve import NotServing


@pytest.fixture(params=['{"installation": "ours"}', '{"installation": "theirs"}', "[1]", "hello"])
def neighbour(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A server on this machine that answers everything with one text: the text, its address."""

    @Request.application
    def answer(_: Request) -> Response:
        return Response(request.param, content_type="application/json")

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield request.param, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_who_answers_is_believed_only_with_our_installations_id(neighbour: tuple[str, str]) -> None:
    text, address = neighbour
    assert serve.is_ours(address, "ours") == ("ours" in text)


def test_nobody_there_is_not_ours() -> None:
    with serve.reserved("127.0.0.1", 0) as port:
        assert not serve.is_ours(serve.url("127.0.0.1", port), "ours")


def test_a_reserved_port_is_kept_from_others_and_shared_with_our_processes() -> None:
    with serve.reserved("127.0.0.1", 0) as port:
        with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
            stranger.bind(("127.0.0.1", port))
        with socket.socket() as granian:
            granian.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            granian.bind(("127.0.0.1", port))


def test_a_second_installation_does_not_get_the_reserved_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "RELEASE_SECONDS", 0.2)
    with serve.reserved("127.0.0.1", 0) as port:
        refused = pytest.raises(NotServing, match=f"port {port} of 127.0.0.1 is in use")
        with refused, serve.reserved("127.0.0.1", port):
            pass


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"), ("::", "http://[::1]:80")],
)
def test_the_address_to_ask_is_one_that_this_machine_reaches(host: str, address: str) -> None:
    assert serve.url(host, 80) == address


def test_a_host_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(NotServing, match=r"can't listen on 192\.0\.2\.1"), serve.reserved("192.0.2.1", 8000):
        pass
