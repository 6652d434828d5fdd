"""Groups: WeCom's customer groups (客户群), who is in them, and which one is hers (T7).

group chat: a group as WeCom has it · route: a tag or a segment, and the pool of group chats for those who have it ·
segment group (细分社群): routes in an order, hers is the first whose tag or segment she has · join way (入群方式): the
code of a route's chats that have room · wrong group: she is in a chat of another route than hers.
"""
