"""Benches: the program's hot paths against frozen naive code and against a limit measured on the spot.

Machines are noisy, so a figure is a ratio within one round; rounds are interleaved, the first is thrown away. A bench
whose answers are wrong prints no ratio. `python -m bot.app.bench NAME` is `fugou bench NAME`.
"""
