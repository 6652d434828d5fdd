"""Timeline: what happened with a customer, told in words, oldest to newest (C4, C9).

Every event has a teller, which the feature that announces it registers: an icon, a tone, one sentence and why.
"""
