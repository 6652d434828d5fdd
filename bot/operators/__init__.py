"""Who works with Fugou: operators, their roles and sessions, API keys, and the audit of what they did (S2).

Words: an *operator* has an account and one role (owner, operator, staff, analyst); a *permission* is `customers:read`;
an *API key* has scopes, which are permissions or `all`; an *audit row* says who changed what from what to what.
"""
