"""Customers and their relations as the API reads and remarks them; pages 92113, 92114, 92994 and 92115."""

from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.records import Customer, Relation

area = Area()

FOLLOWERS_PER_PAGE = 500


@area.api("GET", "externalcontact/list", right="contact")
def listed(call: Call) -> Answer:
    """All customers of one member, unpaged; 84061 where he has none."""
    member = call.salesperson(call.query.text("userid", size=64, missing=41009))
    ids = [relation.external_userid for relation in member.relations.values() if not relation.half]
    if not ids:
        raise Refused(84061)
    return {"external_userid": ids}


@area.api("GET", "externalcontact/get", right="contact")
def get(call: Call) -> Answer:
    """One customer and those of her members the app sees."""
    customer = call.state.customers.get(call.query.text("external_userid", size=64, missing=41035))
    if customer is None:
        raise Refused(40096)
    relations = [call.state.members[userid].relations[customer.external_userid] for userid in customer.followers]
    relations = [one for one in relations if not one.half and call.app.sees(one.userid)]
    if not relations:
        raise Refused(84061)
    page, following = call.query.page(relations, FOLLOWERS_PER_PAGE, FOLLOWERS_PER_PAGE)
    answer: Answer = {"external_contact": _customer(customer), "follow_user": [_follow_user(call, one) for one in page]}
    return answer | ({"next_cursor": following} if following else {})


@area.api("POST", "externalcontact/batch/get_by_user", right="contact")
def batch(call: Call) -> Answer:
    """Customers of up to 100 members, page by page; corp tags by id only, personal tags not at all."""
    members = [call.salesperson(userid) for userid in call.body.texts("userid_list", 100, missing=41009)]
    relations = [one for member in members for one in member.relations.values() if not one.half]
    page, following = call.body.page(relations, 50, 100)
    customers = call.state.customers
    rows = [{"external_contact": _customer(customers[one.external_userid]), "follow_info": _follow_info(one)}
            for one in page]  # fmt: skip
    return {"external_contact_list": rows, "next_cursor": following, "fail_info": {"unlicensed_userid_list": []}}


@area.api("POST", "externalcontact/remark", right="contact")
def remark(call: Call) -> Answer:
    """Change what the member calls her; only the fields given are changed, `[""]` clears the mobiles."""
    body = call.body
    relation = call.relation(body.text("userid", missing=41009), body.text("external_userid", missing=41035))
    words = {name: body.text(name, chars=chars) for name, chars in
             (("remark", 20), ("description", 150), ("remark_company", 20)) if body.has(name)}  # fmt: skip
    mobiles = body.texts("remark_mobiles") if body.has("remark_mobiles") else None
    if not any(words.values()) and not mobiles and not body.text("remark_pic_mediaid"):
        raise Refused(40063, "remark, description, remark_company, remark_mobiles, remark_pic_mediaid")
    for name, value in words.items():
        setattr(relation, name, value)
    if mobiles is not None:
        relation.remark_mobiles = [one for one in mobiles if one]
    return {}


def _customer(customer: Customer) -> Answer:
    shown: Answer = {
        "external_userid": customer.external_userid, "name": customer.name, "avatar": customer.avatar,
        "type": customer.type, "gender": customer.gender, "reserved_info": "",
    }  # fmt: skip
    if customer.type == 2:
        attributes = [{"type": 0, "name": "职务", "text": {"value": ""}}]
        company = {"corp_name": customer.corp_name, "corp_full_name": customer.corp_name, "position": ""}
        return shown | company | {"external_profile": {"external_attr": attributes}}
    return shown | ({"unionid": customer.unionid} if customer.unionid else {})


def _follow_user(call: Call, relation: Relation) -> Answer:
    groups = call.state.tag_groups
    tags: list[Answer] = [
        {"group_name": groups[tag.group_id].group_name, "tag_name": tag.name, "tag_id": tag.id, "type": 1}
        for tag in map(call.state.tags.__getitem__, relation.tags)
    ]
    tags += [{"group_name": "", "tag_name": name, "type": 2} for name in relation.personal_tags]
    return _relation(relation) | {"tags": tags}


def _follow_info(relation: Relation) -> Answer:
    return _relation(relation) | {"tag_id": relation.tags}


def _relation(relation: Relation) -> Answer:
    shown: Answer = {
        "userid": relation.userid, "remark": relation.remark, "description": relation.description,
        "createtime": relation.createtime, "remark_corp_name": relation.remark_company,
        "remark_mobiles": relation.remark_mobiles, "oper_userid": relation.oper_userid, "add_way": relation.add_way,
    }  # fmt: skip
    return shown | ({"state": relation.state} if relation.state else {})
