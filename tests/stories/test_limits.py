"""A key may make so many requests a minute, whichever process answers; without Redis each process counts."""

from shop import Shop


def test_requests_over_a_minutes_limit_are_refused_with_the_wait_with_and_without_redis(shop: Shop) -> None:
    shop.api.patch("/settings", {"api_requests_per_minute": 3})
    answers = [shop.api.call("GET", "/live-codes") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    pool = shop.installation.redis.connection_pool
    pool.connection_kwargs["path"] = "/nowhere"
    pool.disconnect()
    pool.reset()  # what is open already knows another path
    assert [shop.api.call("GET", "/live-codes").status_code for _ in range(4)] == [200, 200, 200, 429]
