"""What a shop's developer reads when something can't be done: in the words sent, and with whether to try again."""

import pytest
import requests
from consoles import console_app
from shop import Shop

from bot.core import clock
from bot.core.installation import Installation
from bot.core.sets import run
from bot.web.forms import Form
from tags.tagging.errors import TwoChoices

GIVE_UP = """CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'a deadlock was broken' USING ERRCODE = 'deadlock_detected'; END $$"""
ON_ORDERS = """CREATE CONSTRAINT TRIGGER giving_up AFTER INSERT ON orders DEFERRABLE INITIALLY {when}
FOR EACH ROW EXECUTE FUNCTION give_up()"""


@pytest.mark.parametrize("when", ["IMMEDIATE", "DEFERRED"])  # at the statement, and at the commit
def test_what_the_database_gave_up_is_a_503_and_can_be_sent_again(shop: Shop, when: str) -> None:  # G5
    order = {"order_id": "A1", "customer": {"phone": "13800138000"}, "paid_at": clock.now().isoformat(),
             "total_fen": 100, "items": []}  # fmt: skip
    with shop.installation.transaction("test") as session:
        run(session, GIVE_UP)
        run(session, ON_ORDERS.format(when=when))
    refused = shop.api.call("POST", "/orders", order)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert refused.json()["detail"] == "the database is away or busy; send it again"
    with shop.installation.transaction("test") as session:
        run(session, "DROP TRIGGER giving_up ON orders")
    assert shop.api.call("POST", "/orders", order).status_code == 201


def test_a_refusal_repeats_what_was_sent_as_it_was_sent(shop: Shop) -> None:
    body = {"name": "季节", "kind": "profile", "tags": ["春"]}
    shop.api.post("/tag-groups", body)
    refused = shop.api.call("POST", "/tag-groups", body)
    assert refused.status_code == 409
    assert "季节" in refused.content.decode()
    json = {"Content-Type": "application/json"}
    half = shop.api.call("POST", "/tag-groups", data='{"\\ud800": {"a": "\\ud800"}}', headers=json)
    assert (half.status_code, half.json()["errors"][1]["pointer"]) == (422, "/\ud800/a")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tag-groups", {"name": "  ", "kind": "profile", "tags": ["春"]}),
        ("/tag-groups", {"name": "季节", "kind": "profile", "tags": ["\u3000"]}),
        ("/live-codes", {"name": " ", "staff": ["lily"]}),
        ("/welcome-rules", {"name": "\t", "text": "你好"}),
    ],
)
def test_a_name_of_spaces_is_no_name(shop: Shop, path: str, body: dict[str, object]) -> None:
    assert shop.api.call("POST", path, body).status_code == 422


def test_the_reason_of_an_adjustment_says_something(shop: Shop) -> None:  # P1
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    path = f"/customers/{shop.api.customer(anna)['id']}/points/adjustments"
    assert shop.api.call("POST", path, {"points": 5, "reason": " "}).status_code == 422
    assert shop.api.post(path, {"points": 5, "reason": "补差"})["points"] == 5


def test_nobody_changes_a_computed_group_and_is_told_which(shop: Shop) -> None:  # T1
    with shop.installation.transaction("test") as session:
        group_id = run(
            session,
            "INSERT INTO tag_groups (kind, name, single_choice, position, created_at)"
            " VALUES ('computed', '算出', true, 0, %(now)s) RETURNING id",
            now=clock.now(),
        )[0][0]
    refused = shop.api.call("POST", "/tags", {"group_id": str(group_id), "name": "自己造"})
    assert (refused.status_code, refused.json()["detail"][:9]) == (409, "tag group")


def test_each_operation_of_the_document_is_summed_up_in_a_sentence(shop: Shop) -> None:  # I1
    document = requests.get(f"{shop.url}/api/v1/openapi.json", timeout=10).json()
    summaries = [
        operation["summary"]
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]
    assert [one for one in summaries if not one.endswith(".")] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", "有 2 位客户有这一组的不止一个标签，先只留一个"),
        ("en", "2 customers have more than one tag of this group; leave them one each first"),
    ],
)
def test_a_page_says_in_its_readers_language_what_a_service_refused(
    installation: Installation, language: str, words: str
) -> None:
    problem = TwoChoices(2)
    with console_app(installation).test_request_context("/console/tags", headers={"Accept-Language": language}):
        form = Form()
        form.take(problem)
        assert form.errors == {"": words}
    assert problem.detail == "2 customers have more than one tag of this group"  # of the API
