"""Consent: what she agreed to, and what she took back, statement by statement (S1).

purpose: what data or messages are for · statement: given or withdrawn, when, how and to which text; the newest
of a purpose is in force, and without any nothing is known.
"""
