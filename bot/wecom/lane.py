"""The hot lane: one process that drains the inbox and the outbox, so that a welcome leaves within its 20 seconds.

Its threads do reads from WeCom and sends alike, sends first, in the `SLOTS` of the transport; no database connection is
held during a call. A thread that has processed a callback sends the welcome that came of it at once, which the same
transaction claimed. A hint in Redis wakes the lane; what a lost hint leaves behind, the sweep finds within
`SWEEP_SECONDS`.
"""

import itertools
import queue
import threading
import time
from collections.abc import Callable

import structlog

from bot.core.installation import Installation
from bot.wecom import inbox, outbox
from bot.wecom.client import WeCom
from bot.wecom.transport import SLOTS

log = structlog.get_logger(__name__)

THREADS = SLOTS + 16  # more than the slots, so that none of those waits for the database
AHEAD = 4 * SLOTS  # tasks claimed ahead of the threads, so that none waits for the database
SWEEP_SECONDS = 1.0
BREATH_S = 0.02  # between two looks at the tables: in a burst something is done every few milliseconds
LOST_EVERY_SECONDS = 10.0
READ = 10  # priority of processing an inbox row: below every send that is due, above bulk


class Lane:
    """Drains what is due. `drain` does so in the caller's thread; `run` with `threads` until told to stop."""

    def __init__(self, installation: Installation, wecom: WeCom, threads: int = THREADS) -> None:
        self._installation, self._wecom, self._threads = installation, wecom, threads
        self._tasks: queue.PriorityQueue[tuple[int, int, Callable[[], None]]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._flying: dict[str, set[int]] = {"inbox": set(), "outbox": set()}
        self._lock = threading.Lock()
        self._more = threading.Event()
        self._stopping = threading.Event()

    def drain(self) -> int:
        """Process and send all that is due, one at a time; returns how many rows that were. For tests."""
        touched = 0
        while True:
            with self._installation.transaction("system") as session:
                rows, outgoing = inbox.due(session, AHEAD), outbox.due(session, AHEAD)
            if not rows and not outgoing:
                return touched
            for _, row_id in outgoing:
                outbox.send(self._installation, self._wecom, row_id)
            for row in rows:
                for claimed in inbox.process(self._installation, self._wecom, row):
                    outbox.attempt(self._installation, self._wecom, claimed)
            touched += len(rows) + len(outgoing)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then finish what is under way (nothing new is begun)."""
        threads = [threading.Thread(target=self._work, daemon=True, name=f"slot-{n}") for n in range(self._threads)]
        listener = threading.Thread(target=self._listen, args=(stop,), daemon=True, name="hints")
        for thread in (*threads, listener):
            thread.start()
        swept = 0.0
        while not stop.is_set():
            self._more.clear()
            try:
                self._fetch()
                if time.monotonic() - swept > LOST_EVERY_SECONDS:
                    swept = time.monotonic()
                    outbox.settle_lost(self._installation, self._wecom)
            except Exception:
                log.warning("the lane could not read its tables", exc_info=True)
            stop.wait(BREATH_S)
            self._more.wait(SWEEP_SECONDS)
        self._stopping.set()
        for _ in threads:
            self._put(1_000, lambda: None)  # wakes a thread that waits, so that it sees the end
        for thread in (*threads, listener):
            thread.join()

    def _fetch(self) -> None:
        room = AHEAD - self._tasks.qsize()
        if room <= 0:
            return
        with self._lock:
            flying = {lane: list(ids) for lane, ids in self._flying.items()}
        with self._installation.transaction("system") as session:
            rows = inbox.due(session, room, flying["inbox"])
            outgoing = outbox.due(session, room, flying["outbox"])
        for priority, row_id in outgoing:
            if self._fly("outbox", row_id):
                self._put(priority, lambda row_id=row_id: self._deliver(row_id))  # type: ignore[misc]
        for row in rows:
            if self._fly("inbox", row.id):
                self._put(READ, lambda row=row: self._process(row))  # type: ignore[misc]

    def _process(self, row: inbox.InboxRow) -> None:
        claimed: list[outbox.OutboxRow] = []
        try:
            claimed = inbox.process(self._installation, self._wecom, row)
        finally:
            self._land("inbox", row.id)
        for outgoing in claimed:
            outbox.attempt(self._installation, self._wecom, outgoing)

    def _deliver(self, row_id: int) -> None:
        try:
            outbox.send(self._installation, self._wecom, row_id)
        finally:
            self._land("outbox", row_id)

    def _fly(self, lane: str, row_id: int) -> bool:
        with self._lock:
            if row_id in self._flying[lane]:
                return False
            self._flying[lane].add(row_id)
            return True

    def _land(self, lane: str, row_id: int) -> None:
        with self._lock:
            self._flying[lane].discard(row_id)
        self._more.set()

    def _put(self, priority: int, task: Callable[[], None]) -> None:
        self._tasks.put((-priority, next(self._order), task))

    def _work(self) -> None:
        while not self._stopping.is_set():
            _, _, task = self._tasks.get()
            if self._stopping.is_set():
                return
            try:
                task()
            except Exception:
                log.warning("a task of the lane failed; its row is found again by the sweep", exc_info=True)

    def _listen(self, stop: threading.Event) -> None:
        while not stop.is_set():
            if self._installation.wait(outbox.LANE, SWEEP_SECONDS):
                self._more.set()
            else:
                time.sleep(0.05)  # without Redis `wait` returns at once
