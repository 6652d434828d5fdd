"""Every list an operator has goes out as a file: by the shared export, in the audit, as far as his rights go."""

import csv
import io

import requests
from looking import Site
from python_calamine import CalamineWorkbook
from shop import Shop
from sqlalchemy import text

LISTS = {
    "customer": "customers/export", "segment": "segments/export", "tag": "tags/export", "lead": "leads/export",
    "live_code": "live-codes/export", "group_chat": "groups/chats/export", "staff": "staff/export",
    "audit": "audit/export",
}  # fmt: skip


def entered(site: Site, name: str, role: str) -> requests.Session:
    operator = requests.Session()
    operator.get(site.operator(name, role))
    return operator


def test_every_list_goes_out_neutral_kept_in_the_audit_and_to_whom_it_may(shop: Shop, site: Site) -> None:  # S2
    shop.api.post("/tag-groups", {"name": "=cmd()", "kind": "profile", "tags": ["+1"]})
    owner = entered(site, "林晓", "owner")
    with shop.installation.transaction("test") as session:
        group = session.execute(text("SELECT min(id) FROM segment_groups")).scalar_one()
    lists = LISTS | {"segment_group": f"groups/{group}/export"}
    for form in ("csv", "xlsx"):
        found = taken(shop, owner, lists, form)
        said = ["=cmd()", "+1"] if form == "xlsx" else ["'=cmd()", "'+1"]
        assert [row[0::2][:2] for row in found["tag"] if said[1] in row] == [said]
        assert ("'" if form == "csv" else "") + "+8613900130000" in {row[2] for row in found["lead"]}
        with shop.installation.transaction("test") as session:
            trail = "SELECT action, after FROM audit WHERE action LIKE '%.exported' AND after ->> 'form' = :form"
            kept = dict(session.execute(text(trail), {"form": form}).all())
        assert {action: after["rows"] for action, after in kept.items() if action != "audit.exported"} == {
            f"{what}.exported": len(rows) - 1 for what, rows in found.items() if what != "audit"
        }  # fmt: skip
    analyst, clerk = entered(site, "周行", "analyst"), entered(site, "店员", "staff")
    assert analyst.get(f"{shop.url}/console/audit/export").status_code == 403
    leads = analyst.get(f"{shop.url}/console/leads/export").text
    assert ("13900130000" in leads, "139****0000" in leads) == (False, True)
    assert clerk.get(f"{shop.url}/console/tags").status_code == 200
    assert clerk.get(f"{shop.url}/console/tags/export").status_code == 403


def taken(shop: Shop, operator: requests.Session, lists: dict[str, str], form: str) -> dict[str, list[list[object]]]:
    """Each list as the file it goes out as, headings first."""
    found = {}
    for what, path in lists.items():
        answer = operator.get(f"{shop.url}/console/{path}", params={"form": form})
        assert answer.status_code == 200, (what, answer.text[:200])
        assert f".{form}" in answer.headers["Content-Disposition"]
        found[what] = read(answer.content, form)
        assert {len(row) for row in found[what]} == {len(found[what][0])}
        assert len(found[what]) > 1, f"{what} has no rows"
    return found


def read(content: bytes, form: str) -> list[list[object]]:
    if form == "csv":
        return [list(row) for row in csv.reader(io.StringIO(content.decode("utf-8-sig")))]
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
