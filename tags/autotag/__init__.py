"""Auto-tag rules: what is done for a customer by itself, as data (T3).

rule: when an event happens to her, if a condition tree holds for her, then actions are done · trigger: an event with
its filters · hit: a rule did its actions for her, once for one event · version: what a rule was before and after a
change · stopped: switched off by the engine, with its reason · dry run: whom a rule would have hit in the last days.

A rule does its actions in the transaction of the event, in the order of ids, after the features above it in the list
know the event and before those below do: its tags choose her segment group and thereby her welcome. What depends on
points waits for `points.earned`, not for `order.paid`.
"""
