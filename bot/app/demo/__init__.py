"""The demo: a whole installation on one machine with a simulated WeCom, a seeded shop, customers who act.

`driver.py` is the outside, driven; `seed.py` fills the shop; `story.py` plays one customer to the end and checks each
step; `stage.py` starts and stops everything.
"""
