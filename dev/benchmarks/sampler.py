"""Sample the CPU time and the waits of a process, by the part of this package that is on the stack."""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
_EVERY = 0.001
_PACKAGE = str(ROOT / "airflow_provider_teams_registration") + "/"
_OTHERS = "Airflow, and the people's list"


class Sampler:
    """
    Adds up, for each thread, the CPU time between two samples. It counts for the code that the second sample finds.

    The CPU time of each thread is exact. Its division among the parts is an estimate. Python lets the sampling thread
    run when another thread waits, or after a hundredth of a millisecond of Python code. Samples cost CPU time too, so
    compare the shares, and take the totals from a run without samples.

    :ivar cpu: CPU seconds, by part and by the library that the part calls.
    :ivar wall: seconds of the main thread, by the same.
    """

    def __init__(self) -> None:
        self.cpu: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.wall: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._is_done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._used: dict[int, float] = {}
        self._interval = sys.getswitchinterval()

    def __enter__(self) -> Sampler:
        sys.setswitchinterval(1e-5)
        self._sample(0.0)
        self.cpu.clear()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_done.set()
        self._thread.join()
        sys.setswitchinterval(self._interval)

    def _run(self) -> None:
        sampled_at = time.monotonic()
        while not self._is_done.wait(_EVERY):
            now = time.monotonic()
            self._sample(now - sampled_at)
            sampled_at = now

    def _sample(self, seconds: float) -> None:
        own, main = self._thread.ident, threading.main_thread().ident
        threads = {thread.ident: thread.native_id for thread in threading.enumerate()}
        for ident, frame in sys._current_frames().items():
            native = threads.get(ident)
            if native is None or ident == own:
                continue
            place = _place(frame)
            used = _cpu_seconds(native)
            self.cpu[place] += max(used - self._used.get(native, 0.0), 0.0)
            self._used[native] = used
            if ident == main:
                self.wall[place] += seconds


def _cpu_seconds(native_id: int) -> float:
    try:
        nanoseconds = Path(f"/proc/self/task/{native_id}/schedstat").read_text().split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return int(nanoseconds) / 1e9


def _place(innermost: FrameType) -> tuple[str, str]:
    """Return the innermost part of this package on a stack, and the library that runs for it."""
    library = ""
    frame: FrameType | None = innermost
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_PACKAGE):
            return _part(name.removeprefix(_PACKAGE)), library or "own code"
        library = library or _library(name)
        frame = frame.f_back
    return _OTHERS, "all"


def _part(name: str) -> str:
    folder, _, _ = name.rpartition("/")
    return folder or name


def _library(name: str) -> str:
    _, found, below = name.rpartition("site-packages/")
    return below.partition("/")[0] if found else "standard library"
