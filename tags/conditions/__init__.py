"""Conditions: whom an operator means, as a tree over facts (T4), and the other two words of a rule: when and then (T3).

leaf: one fact, registered by the feature that owns it · group: all, any or none of its nodes · tree: a group or a bare
leaf. A tree is parsed with pointers to what is wrong, compiled to SQL, and read back in words · trigger: what may
happen, with filters · action: what may be done for her; both are registered as leaves are.
"""
