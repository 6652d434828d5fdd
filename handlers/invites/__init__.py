"""Invites: the invitation to her group, once, by the first carrier that may take it, reminded once (T7).

invitation: a text and one card that leads to `/r/<code>`, a page of ours with the join code of her route · carrier: the
welcome, or an open 微信客服 window · taken up: she sits in a chat of the route.
"""
