"""A bench that is told to stop takes its servers and processes along."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from deeds.driver import until
from running import PATIENCE_SECONDS, family, none_lives


@pytest.mark.long
def test_a_bench_told_to_stop_leaves_no_process_and_no_folder() -> None:
    with tempfile.TemporaryDirectory(prefix="fugou-test-") as name:
        Path(name).chmod(0o755)
        words = [sys.executable, "-m", "bot.app.bench", "ingest"]
        bench = subprocess.Popen(words, env={**os.environ, "TMPDIR": name}, stdout=subprocess.DEVNULL)
        below = [bench.pid]
        try:
            until(lambda: any("bot.app.parts web" in command for command in family(bench.pid).values()))
            below = list(family(bench.pid))
            assert len(below) >= 8, "the bench, gunicorn, twice Granian, each with its process, our part, two servers"
            bench.terminate()
            assert bench.wait(PATIENCE_SECONDS) == 143
            assert none_lives(below)
            assert list(Path(name).iterdir()) == []
        finally:
            for pid in below:  # what it should have taken along
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
