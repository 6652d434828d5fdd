"""Who gets in, how often one may try, and what a session is worth (S2)."""

import re
from ipaddress import ip_network

import pytest
from consoles import console_app
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from bot.core import clock
from bot.core.installation import Installation
from bot.core.settings import Settings
from bot.operators.accounts import (
    add_operator,
    close_operator,
    find_operator,
    may_be_used,
    one_time_login,
    set_password,
)
from bot.operators.models import AuditRow, OperatorSession
from bot.web.guard import needs, permission_of
from bot.web.pages import pages

PASSWORD = "open sesame 2026"


@pytest.fixture
def app(installation: Installation) -> Flask:
    return console_app(installation)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def lin(installation: Installation) -> str:
    """林晓, an operator with a password."""
    with installation.transaction("test") as session:
        add_operator(session, "林晓", "operator", PASSWORD)
    return "林晓"


def token(client: FlaskClient) -> str:
    page = client.get("/console/login").get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def log_in(client: FlaskClient, name: str, password: str, **more: str) -> int:
    form = {"name": name, "password": password, "csrf_token": token(client)}
    return client.post("/console/login", data=form, **more).status_code  # type: ignore[arg-type]


def inside(client: FlaskClient) -> bool:
    """Whether the find box answers, which every operator may use."""
    return client.get("/console/find").status_code == 200


def test_the_right_password_opens_the_console_and_the_wrong_one_does_not(client: FlaskClient, lin: str) -> None:  # S2
    assert log_in(client, lin, "open sesame 2025") == 422
    assert not inside(client)
    assert log_in(client, lin, PASSWORD) == 303
    assert inside(client)


def test_a_stranger_is_sent_to_the_login_and_back(client: FlaskClient, lin: str) -> None:  # S2
    sent = client.get("/console/find?q=x")
    assert sent.status_code == 303
    assert sent.location == "/console/login?next=/console/find?q=x"
    form = {"name": lin, "password": PASSWORD, "csrf_token": token(client)}
    assert client.post("/console/login?next=/console/find", data=form).location == "/console/find"


@pytest.mark.parametrize(
    "place", ["//evil.example", "https://evil.example", "/console/../x//y", "/console\\x", "/api/v1/x"]
)
def test_nobody_is_sent_to_another_place_after_the_login(client: FlaskClient, lin: str, place: str) -> None:  # S2
    form = {"name": lin, "password": PASSWORD, "csrf_token": token(client)}
    answer = client.post("/console/login", query_string={"next": place}, data=form)
    assert answer.location == "/console/"


def test_a_fragment_without_a_session_sends_the_whole_page_to_the_login(client: FlaskClient) -> None:  # S2
    asked = {"HX-Request": "true", "HX-Current-URL": "http://localhost/console/customers?x=1"}
    answer = client.get("/console/find", headers=asked)
    assert answer.headers["HX-Redirect"] == "/console/login?next=/console/customers"


def test_wrong_passwords_are_throttled_for_the_account_from_everywhere(app: Flask, lin: str) -> None:  # S2
    for n in range(10):
        assert log_in(app.test_client(), lin, f"wrong {n}", environ_base={"REMOTE_ADDR": f"10.0.0.{n}"}) == 422
    late = app.test_client()
    form = {"name": lin, "password": PASSWORD, "csrf_token": token(late)}
    answer = late.post("/console/login", data=form, environ_base={"REMOTE_ADDR": "10.0.1.1"})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"


def test_wrong_passwords_are_throttled_for_an_address_whatever_the_account(client: FlaskClient, lin: str) -> None:  # S2
    for n in range(30):
        assert log_in(client, f"nobody{n}", "wrong password") == 422
    assert log_in(client, lin, PASSWORD) == 429


@pytest.mark.parametrize(("trusted", "statuses"), [((), {429}), (("10.0.0.0/8",), {429, 303})])
def test_behind_a_proxy_that_is_trusted_each_caller_is_counted_by_himself(
    installation: Installation, lin: str, trusted: tuple[str, ...], statuses: set[int]
) -> None:  # S2
    values = {**installation.settings.model_dump(), "trusted_proxies": tuple(map(ip_network, trusted))}
    installation.settings = Settings.model_construct(**values)
    client = console_app(installation).test_client()

    def enter(name: str, password: str, forwarded: str) -> int:
        came = {"REMOTE_ADDR": "10.0.0.2", "HTTP_X_FORWARDED_FOR": forwarded}
        return log_in(client, name, password, environ_base=came)

    for n in range(30):
        assert enter(f"nobody{n}", "wrong password", f"198.51.100.{n}, 203.0.113.5, 10.0.0.3") == 422
    assert {enter(lin, PASSWORD, forwarded) for forwarded in ("203.0.113.5", "203.0.113.6")} == statuses


def test_a_login_forgets_the_tries_before_it(app: Flask, lin: str) -> None:  # S2
    for client in (app.test_client(), app.test_client()):
        for _ in range(9):
            assert log_in(client, lin, "wrong password") == 422
        assert log_in(client, lin, PASSWORD) == 303


def test_tries_are_counted_without_redis_too(client: FlaskClient, lin: str, installation: Installation) -> None:  # S2
    installation.redis.connection_pool.connection_kwargs["path"] = "/nowhere"
    installation.redis.connection_pool.disconnect()
    for _ in range(10):
        assert log_in(client, lin, "wrong password") == 422
    assert log_in(client, lin, PASSWORD) == 429


def test_a_form_without_its_token_is_refused(client: FlaskClient, lin: str) -> None:  # S2
    answer = client.post("/console/login", data={"name": lin, "password": PASSWORD})
    assert answer.status_code == 400
    assert "页面放得太久了" in answer.get_data(as_text=True)
    assert not inside(client)


def test_a_one_time_login_opens_once_within_15_minutes(app: Flask, lin: str, installation: Installation) -> None:  # S2
    with installation.transaction("test") as session:
        first, second = one_time_login(session, lin), one_time_login(session, lin)
    client = app.test_client()
    assert client.head(f"/console/login/{first}").status_code == 204  # a preview in a chat does not use it up
    assert client.get(f"/console/login/{first}").status_code == 303
    assert inside(client)
    assert app.test_client().get(f"/console/login/{first}").status_code == 410
    with installation.transaction("test") as session:
        assert [may_be_used(session, one) for one in (first, second, "none")] == [False, True, False]
    clock.advance(15 * 60)
    with installation.transaction("test") as session:
        assert not may_be_used(session, second)
    late = app.test_client()
    assert late.get(f"/console/login/{second}").status_code == 410
    assert not inside(late)


def test_a_login_has_a_cookie_of_its_own_and_ends_the_one_before(
    client: FlaskClient, lin: str, installation: Installation
) -> None:
    log_in(client, lin, PASSWORD)
    first = client.get_cookie("fugou_operator", path="/console")
    assert first is not None
    client.set_cookie("fugou_operator", first.value, path="/console")
    with installation.transaction("test") as session:
        link = one_time_login(session, lin)
    client.get(f"/console/login/{link}")
    second = client.get_cookie("fugou_operator", path="/console")
    assert second is not None
    assert second.value != first.value
    with installation.transaction("test") as session:
        assert len(session.scalars(select(OperatorSession)).all()) == 1


def test_a_session_ends_after_12_hours_without_a_request(client: FlaskClient, lin: str) -> None:  # S2
    log_in(client, lin, PASSWORD)
    clock.advance(11.9 * 3600)
    assert inside(client)
    clock.advance(11.9 * 3600)
    assert inside(client)
    clock.advance(12 * 3600)
    assert not inside(client)


def test_a_session_ends_after_7_days_of_use(client: FlaskClient, lin: str) -> None:  # S2
    log_in(client, lin, PASSWORD)
    for _ in range(16):
        clock.advance(10 * 3600)
        assert inside(client)
    clock.advance(8 * 3600)
    assert not inside(client)


def test_logging_out_ends_the_session_on_the_server(client: FlaskClient, lin: str) -> None:  # S2
    log_in(client, lin, PASSWORD)
    kept = client.get_cookie("fugou_operator", path="/console")
    assert kept is not None
    page = client.get("/console/nowhere").get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    assert client.post("/console/logout", data={"csrf_token": found[1]}).status_code == 303
    client.set_cookie("fugou_operator", kept.value, path="/console")
    assert not inside(client)


def test_a_closed_account_is_out_at_once(client: FlaskClient, lin: str, installation: Installation) -> None:  # S2
    log_in(client, lin, PASSWORD)
    with installation.transaction("test") as session:
        operator = find_operator(session, lin)
        assert operator is not None
        close_operator(session, operator)
    assert not inside(client)
    assert log_in(client, lin, PASSWORD) == 422


def test_logins_and_refused_ones_are_in_the_audit(
    client: FlaskClient, lin: str, installation: Installation
) -> None:  # S2 S3
    log_in(client, lin, "wrong password")
    log_in(client, lin, PASSWORD)
    with installation.transaction("test") as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.id)).all()
        assert [row.action for row in rows] == ["operator.added", "operator.login_refused", "operator.logged_in"]
        assert rows[2].after == {"by": "password", "from": "127.0.0.1"}
        assert PASSWORD not in str([(row.before, row.after) for row in rows])


def test_cookies_are_secure_exactly_when_people_come_by_https(installation: Installation, lin: str) -> None:  # S2
    for address in ("http://fugou.test", "https://fugou.test"):
        values = {**installation.settings.model_dump(), "public_url": address}
        installation.settings = Settings.model_construct(**values)
        app = console_app(installation)
        client = app.test_client()
        answer = client.post("/console/login", data={"name": lin, "password": PASSWORD, "csrf_token": token(client)})
        made = answer.headers.getlist("Set-Cookie")
        assert len(made) == 2
        for cookie in made:
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
            assert ("Secure" in cookie) == address.startswith("https")
        assert ("Strict-Transport-Security" in answer.headers) == address.startswith("https")


def test_the_language_is_the_accounts_then_the_browsers(app: Flask, client: FlaskClient, lin: str) -> None:  # S2
    english = {"Accept-Language": "en-GB,en;q=0.9"}
    assert "Log in" in client.get("/console/login", headers=english).get_data(as_text=True)
    assert "登录" in client.get("/console/login", headers={"Accept-Language": "zh-CN"}).get_data(as_text=True)
    assert "登录" in client.get("/console/login", headers={"Accept-Language": "de"}).get_data(as_text=True)
    log_in(client, lin, PASSWORD)
    page = client.get("/console/nowhere").get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    client.post("/console/language", data={"language": "en", "csrf_token": found[1]})
    elsewhere = app.test_client()
    log_in(elsewhere, lin, PASSWORD)
    page = elsewhere.get("/console/nowhere", headers={"Accept-Language": "zh-CN"}).get_data(as_text=True)
    assert "There is no such page" in page
    assert 'lang="en"' in page


def test_a_new_password_logs_her_out_elsewhere(client: FlaskClient, lin: str, installation: Installation) -> None:  # S2
    log_in(client, lin, PASSWORD)
    with installation.transaction("test") as session:
        operator = find_operator(session, lin)
        assert operator is not None
        set_password(session, operator, "another password")
    assert not inside(client)


def test_a_route_without_a_permission_answers_nobody(installation: Installation, lin: str) -> None:  # S2
    extra = pages("extra", __name__)
    extra.get("/open")(lambda: "secret")
    app = console_app(installation)
    app.register_blueprint(extra)
    client = app.test_client()
    log_in(client, lin, PASSWORD)
    assert client.get("/console/open").status_code == 500


def test_what_a_role_may_not_do_is_refused_in_words(installation: Installation, lin: str) -> None:  # S2
    extra = pages("extra", __name__)
    extra.get("/keys")(needs("api-keys:write")(lambda: "secret"))
    app = console_app(installation)
    app.register_blueprint(extra)
    client = app.test_client()
    log_in(client, lin, PASSWORD)
    answer = client.get("/console/keys")
    assert answer.status_code == 403
    assert "您没有这个权限" in answer.get_data(as_text=True)


def test_every_route_names_a_permission(app: Flask) -> None:  # S2
    assert [
        rule.rule for rule in app.url_map.iter_rules() if permission_of(app.view_functions[rule.endpoint]) is None
    ] == []


def test_pages_carry_the_security_headers_and_are_not_kept(client: FlaskClient) -> None:  # S2
    answer = client.get("/console/login")
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"


def test_files_are_kept_for_ever_under_the_address_that_names_their_content(client: FlaskClient) -> None:  # S2
    page = client.get("/console/login").get_data(as_text=True)
    found = re.search(r"/static/ui\.css\?v=[0-9a-f]{16}", page)
    assert found
    answer = client.get(found[0], headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert client.get("/static/ui.css?v=other").headers["Cache-Control"] == "no-cache"
    assert "Content-Encoding" not in client.get("/static/ui.css").headers
    assert client.get("/static/../assets.py").status_code == 404
    assert client.get("/static/vendor").status_code == 404
