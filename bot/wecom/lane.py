"""The hot lane: drains the inbox and the outbox, so that a welcome leaves within its 20 seconds.

It has `PROCESSES` of its own (docs/decisions/0007), whose threads do reads from WeCom and sends alike, sends first, in
the slots of the transport; no database connection is held during a call. A thread that has processed a callback sends
the welcome that came of it at once, which the same transaction claimed. A hint in Redis wakes one process; what a lost
hint leaves behind, the sweep finds within `SWEEP_SECONDS`.
"""

import itertools
import queue
import threading
import time
from collections import deque
from collections.abc import Callable

import structlog

from bot.core import pulse
from bot.core.installation import Installation
from bot.wecom import claims, inbox, outbox
from bot.wecom.claims import INBOX, OUTBOX, Claim
from bot.wecom.client import WeCom
from bot.wecom.transport import SLOTS

log = structlog.get_logger(__name__)

PROCESSES = 2  # with `SLOTS` each; one alone has no time for more than some 60 contacts a second
THREADS = SLOTS + 8  # more than the slots, so that none of those waits for the database
AHEAD = SLOTS  # tasks claimed ahead of the threads, so that none waits for the database; few, since others wait too
SWEEP_SECONDS = 1.0
BREATH_S = 0.02  # between two looks at the tables: in a burst something is done every few milliseconds
LOST_EVERY_SECONDS = 10.0
TURN_SECONDS = 60.0  # longer than a database that is away can hold up a look at the tables
LOST = 20  # priority of settling what a dead process left: it asks WeCom, so the loop must not wait for it
READ = 10  # priority of processing an inbox row: below every send that is due, above bulk


class Lane:
    """Drains what is due. `drain` does so in the caller's thread; `run` with `threads` until told to stop."""

    def __init__(self, installation: Installation, wecom: WeCom, threads: int = THREADS) -> None:
        self._installation, self._wecom, self._threads = installation, wecom, threads
        self._tasks: queue.PriorityQueue[tuple[int, int, Callable[[], None]]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._claims = claims.Claims(installation.engine)
        self._done: deque[Claim] = deque()  # claimed, dealt with, to be let go
        self._settling = threading.Lock()
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
            pulse.turned(TURN_SECONDS)
            self._more.clear()
            try:
                self._fetch()
                if time.monotonic() - swept > LOST_EVERY_SECONDS:
                    swept = time.monotonic()
                    self._put(LOST, self._settle_lost)
            except Exception:
                log.warning("the lane could not read its tables", exc_info=True)
            stop.wait(BREATH_S)
            self._more.wait(SWEEP_SECONDS)
        self._stopping.set()
        for _ in threads:
            self._put(1_000, lambda: None)  # wakes a thread that waits, so that it sees the end
        for thread in (*threads, listener):
            thread.join()
        self._claims.close()

    def _fetch(self) -> None:
        room = AHEAD - self._tasks.qsize()
        if room < AHEAD // 2:
            return
        with self._claims.session() as session:
            claims.release(session, [self._done.popleft() for _ in range(len(self._done))])
            outgoing = {(OUTBOX, row_id): priority for priority, row_id in outbox.due(session, room)}
            rows = {(INBOX, row.id): row for row in inbox.due(session, room)}
            taken = claims.take(session, [*outgoing, *rows])
        for claim in (one for one in outgoing if one in taken):
            self._put(outgoing[claim], lambda claim=claim: self._deliver(claim))  # type: ignore[misc]
        for claim in (one for one in rows if one in taken):
            self._put(READ, lambda claim=claim, row=rows[claim]: self._process(claim, row))  # type: ignore[misc]

    def _process(self, claim: Claim, row: inbox.InboxRow) -> None:
        claimed: list[outbox.OutboxRow] = []
        try:
            claimed = inbox.process(self._installation, self._wecom, row)
        finally:
            self._land(claim)
        for outgoing in claimed:
            outbox.attempt(self._installation, self._wecom, outgoing)

    def _deliver(self, claim: Claim) -> None:
        try:
            outbox.send(self._installation, self._wecom, claim[1])
        finally:
            self._land(claim)

    def _settle_lost(self) -> None:
        if self._settling.acquire(blocking=False):  # it may take longer than until it is due again
            try:
                outbox.settle_lost(self._installation, self._wecom)
            finally:
                self._settling.release()

    def _land(self, claim: Claim) -> None:
        self._done.append(claim)
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
            if not self._tasks.empty():
                stop.wait(BREATH_S)  # a process with less to do shall have the hint
            elif self._installation.wait(outbox.LANE, SWEEP_SECONDS):
                self._more.set()
            else:
                time.sleep(0.05)  # without Redis `wait` returns at once
