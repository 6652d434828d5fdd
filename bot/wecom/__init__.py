"""WeCom: bytes in, typed messages out (callback, inbox); typed calls, bytes out (outbox, client)."""
