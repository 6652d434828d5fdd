"""Lead pool: buyers and imported phones that are nobody's contact yet, shared out to members who add them (C8).

lead: 公海客户, open until a member has her · hand-out: one member's turn, ended by added, refused, no answer, returned
or its time · share-out: handing out many, in turns, by a rule or by hand.
"""
