"""OPEN FIRST. The table of contents: every feature, bottom to top, a line each.

A feature may import those above it in this list, nothing else; `make lint` builds the import contracts from it. What
would point the other way is an event (`@on`) or a register of the lower feature (`@question`, `@panel`, …).
"""

from bot.core import feature

FEATURES: tuple[str, ...] = (
    "bot.wecom",  # pulls the 微信客服 accounts
    "bot.web",  # limits per key
    "bot.operators",  # accounts, roles, API keys, audit
    "tags.conditions",  # whom an operator means, as a tree over facts
    "tags.people",  # customers, identities, contacts, sources, merges, staff
    "tags.timeline",  # what happened with her, in words
    "tags.fields",  # what a brand itself wants to know of customers
    "tags.consents",  # what she agreed to, and took back
    "tags.tagging",  # tag groups, tags, assignments, two-way sync with WeCom
    "tags.orders",  # orders, refunds, sums of what she bought
    "tags.imports",  # customers and orders from files, and the register for what else can be imported
    "tags.rfm",  # recency, frequency, monetary: scores and classes
    "tags.lifecycle",  # first buyer, repeat, loyal, at risk, lapsed, won back
    "tags.segments",  # saved condition trees, who they mean, who comes and goes
    "tags.autotag",  # what is done for her by itself: when, if, then
    "tags.groups",  # group chats, segment groups, which route is hers
    "handlers.materials",  # pictures, videos and files, and their media ids
    "handlers.messaging",  # contents, placeholders, windows, what waits for one
    "handlers.chat",  # what she asks, and changing hands with a person
    "handlers.privacy",  # one word ends the marketing
    "handlers.points",  # the ledger: earned, spent, held, expired, owed
    "handlers.tiers",  # the tier her spend reaches
    "handlers.livecodes",  # channels: code, staff, tags, welcome, group
    "handlers.welcome",  # what a new friend is told, in time or late
    "handlers.transfers",  # customers handed from one member to another, and how members fare
    "handlers.invites",  # the invitation to her group, carried by the welcome or by 微信客服
    "handlers.leads",  # buyers and phones without contact, shared out to members who add them
    "handlers.binding",  # orders she ties to herself, by phone or order number
)


def load_features() -> list[feature.Feature]:
    """Fill all registers from the list; a second call starts anew."""
    return feature.load(FEATURES)
