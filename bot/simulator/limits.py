"""Frequency (45009) and concurrency (45033) limits; developer.work.weixin.qq.com/document/path/90454.

Windows are counted on the simulator's clock, so advancing it lifts a block. What exceeds a window is refused for as
long as the window is: a minute, an hour, a day.
"""

from dataclasses import dataclass, field
from threading import Lock

MINUTE, HOUR, DAY = 60, 3600, 86400
PER_MINUTE, PER_HOUR = 10_000, 150_000  # one api, one corp
DEBUG_PER_MINUTE = 5  # with debug=1
WRONG_SECRETS_PER_HOUR = 2000  # then the caller's address is banned for an hour; the figure is the community's
CONTACT_WAYS = 500_000  # a corp's, 加入群聊 included
CORP_TAGS = 3000
KF_ACCOUNTS = 5000
VISIBLE_PEOPLE = 1000  # beyond them groupchat/list wants an owner_filter
DISPATCH_S = 2.0  # after its creation a mass send can't be asked about; WeCom does not say how long


@dataclass
class _Window:
    began: float
    count: int = 0
    blocked_until: float = 0.0


@dataclass
class Limits:
    """How much is let through. `per_minute` and `concurrent` hold settings by api path, "*" for all others."""

    per_minute: dict[str, int] = field(default_factory=lambda: {"*": PER_MINUTE})
    concurrent: dict[str, int] = field(default_factory=dict)
    wrong_secrets: int = WRONG_SECRETS_PER_HOUR
    contact_ways: int = CONTACT_WAYS
    corp_tags: int = CORP_TAGS
    kf_accounts: int = KF_ACCOUNTS
    visible_people: int = VISIBLE_PEOPLE
    dispatch_s: float = DISPATCH_S
    _windows: dict[tuple[str, int], _Window] = field(default_factory=dict)
    _under_way: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def allow(self, key: str, most: int, seconds: int, now: float) -> bool:
        """Count one use of `key`; False once `most` were exceeded in the window, and while that blocks."""
        with self._lock:
            window = self._windows.setdefault((key, seconds), _Window(now))
            if window.blocked_until > now:
                return False
            if not window.began <= now < window.began + seconds:
                window.began, window.count = now, 0
            window.count += 1
            if window.count > most:
                window.blocked_until = now + seconds
            return window.count <= most

    def blocked(self, key: str, seconds: int, now: float) -> bool:
        """True while an earlier excess of `key` blocks; counts nothing."""
        window = self._windows.get((key, seconds))
        return window is not None and window.blocked_until > now

    def allow_api(self, path: str, now: float, debug: bool) -> bool:
        """Count one call of an api by the corp."""
        if debug and not self.allow(f"debug {path}", DEBUG_PER_MINUTE, MINUTE, now):
            return False
        most = self.per_minute.get(path, self.per_minute["*"])
        return self.allow(path, most, MINUTE, now) and self.allow(path, PER_HOUR, HOUR, now)

    def enter(self, path: str) -> bool:
        """A call begins; False where as many as may are under way already. A True one must `leave`."""
        with self._lock:
            most = self.concurrent.get(path, self.concurrent.get("*", 0))
            if most and self._under_way.get(path, 0) >= most:
                return False
            self._under_way[path] = self._under_way.get(path, 0) + 1
            return True

    def leave(self, path: str) -> None:
        with self._lock:
            self._under_way[path] -= 1
