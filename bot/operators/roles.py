"""Roles and what they may (S2): least privilege, by resource. Pure.

A permission is `<resource>:read` or `<resource>:write`. A role has patterns; new resources are open to operators and,
for reading, to analysts, unless they are the owner's own.
"""

from flask_babel import lazy_gettext as _l

ROLES = {"owner": _l("负责人"), "operator": _l("运营"), "staff": _l("店员"), "analyst": _l("分析")}
OWNERS_OWN = {"operators", "api-keys", "audit", "phones"}  # phones: whole ones, in exports
READ_ONLY = {"settings"}  # for everybody but the owner
STAFF_READS = {"console", "customers", "orders", "points", "tags", "live-codes"}
STAFF_WRITES = {"tags"}


def role_allows(role: str, permission: str) -> bool:
    """Whether `role` has `permission`. Raises KeyError for a role there is not."""
    resource, _, verb = permission.partition(":")
    reads = verb == "read"
    return {
        "owner": True,
        "operator": resource not in OWNERS_OWN and (reads or resource not in READ_ONLY),
        "staff": resource in (STAFF_READS if reads else STAFF_WRITES),
        "analyst": reads and resource not in OWNERS_OWN,
    }[role]


def scopes_allow(scopes: list[str], permission: str) -> bool:
    """Whether an API key with `scopes` has `permission`; a scope to write does not include the one to read."""
    return "all" in scopes or permission in scopes
