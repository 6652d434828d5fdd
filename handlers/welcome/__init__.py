"""Welcome (W1): what a new friend is told, within the 20 seconds WeCom gives for it, or late.

rule: when it applies, and what it says · case: one adding as the rules see it · welcome: what was chosen for an adding
and what became of it · late: the code was missing or over, so the same content goes the way of other messages.
"""
