"""Misbehaviour on request: an api answers an error, answers late, or has its connection cut, so many times."""

from dataclasses import dataclass, field
from threading import Lock
from typing import Literal


@dataclass
class Fault:
    """`path` after /cgi-bin/, "*" for every api. `done`: the errcode is answered although the call was carried out.

    `delay_s` is slept before the answer, after the call was carried out; `drop` cuts the connection before or after it.
    """

    path: str
    errcode: int | None = None
    delay_s: float = 0.0
    drop: Literal["before", "after"] | None = None
    done: bool = False
    times: int = 1


@dataclass
class Faults:
    """Those still to come, oldest first; each call takes at most one."""

    waiting: list[Fault] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self.waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self.waiting.clear()

    def take(self, path: str) -> Fault | None:
        """The fault this call suffers, counted down."""
        if not self.waiting:
            return None
        with self._lock:
            fault = next((one for one in self.waiting if one.path in (path, "*")), None)
            if fault is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
            return fault
