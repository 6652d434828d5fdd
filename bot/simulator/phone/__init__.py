"""`/phone`: a page on which a person plays the customer: scan a code, chat, open links, look at what arrived.

Everything she does goes through the acts of `/sim/`; the page shows the corp's codes and her screen, which a script
fetches anew each second.
"""

from bot.simulator.phone.pages import create

__all__ = ["create"]
