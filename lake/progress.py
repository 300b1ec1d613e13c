"""How far is the work? One line on stderr, on the driver, silent when stderr is not a terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

TICK_SECONDS = 1.0


class Progress:
    """`with Progress("silver.predictions: 3,000 rows", n_steps) as progress: …; progress.step()`.

    Writes a running line for terminals only; nothing at all elsewhere, so that logs stay readable. Steps are counted by
    `step()`, or asked of `poll` once a second where the work runs elsewhere.
    """

    def __init__(self, title: str, steps: int = 1, poll: Callable[[], int] | None = None) -> None:
        self.title, self.steps, self.done, self.poll = title, max(1, steps), 0, poll
        self.started = time.monotonic()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True) if sys.stderr.isatty() else None

    def __enter__(self) -> Progress:
        if self._ticker:
            self._ticker.start()
        return self

    def step(self) -> None:
        self.done += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._ticker:
            self._over.set()
            self._ticker.join()
            self._write("done" if kind is None else "stopped", "\n")

    def _tick(self) -> None:
        while not self._over.wait(TICK_SECONDS):
            self.done = self.poll() if self.poll else self.done
            self._write(f"{self.done}/{self.steps}" if self.steps > 1 else "…", "")

    def _write(self, state: str, end: str) -> None:
        sys.stderr.write(f"\r\033[K{self.title}: {state} {time.monotonic() - self.started:.0f} s{end}")
        sys.stderr.flush()
