"""WeCom as strict as the real one, in a small web app of its own: for tests, the demo and `fugou simulator`.

    with simulator.start(corp_id="ww1", secret="s", callback_url=…, token=…, aes_key=…) as wecom:
        requests.get(f"{wecom.url}/cgi-bin/gettoken", params={"corpid": "ww1", "corpsecret": "s"})

/cgi-bin/ is WeCom's API, refusing what WeCom refuses with WeCom's codes; /sim/ is what people do in WeCom's clients and
admin console, so it emits callbacks, and what a test asks of the simulation itself. docs/simulator.md lists /sim/.

Imports bot.core only, and not its crypto: shared code would hide shared bugs. Read `site.py` first.
"""

from bot.simulator.running import Running, serve, start

__all__ = ["Running", "serve", "start"]
