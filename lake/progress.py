"""How far is the work? One line on stderr, on the driver, silent when stderr is not a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType


class Progress:
    """`with Progress("silver.predictions: 3,000 rows", n_steps) as progress: …; progress.step()`.

    Writes a running line for terminals only; nothing at all elsewhere, so that logs stay readable.
    """

    def __init__(self, title: str, steps: int = 1) -> None:
        self.title, self.steps, self.done, self.started = title, max(1, steps), 0, time.monotonic()
        self.shown = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        self._show()
        return self

    def step(self, note: str = "") -> None:
        self.done += 1
        self._show(note)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.shown:
            outcome = "done" if kind is None else "stopped"
            sys.stderr.write(f"\r\033[K{self.title}: {outcome} in {time.monotonic() - self.started:.1f} s\n")
            sys.stderr.flush()

    def _show(self, note: str = "") -> None:
        if self.shown:
            share = f"{self.done}/{self.steps}" if self.steps > 1 else "…"
            sys.stderr.write(f"\r\033[K{self.title} {share} {time.monotonic() - self.started:.0f} s {note}")
            sys.stderr.flush()
