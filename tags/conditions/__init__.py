"""Conditions: whom an operator means, as a tree over facts (T4).

leaf: one fact, registered by the feature that owns it · group: all, any or none of its nodes · tree: a group or a bare
leaf. A tree is parsed with pointers to what is wrong, compiled to SQL, and read back in words.
"""
