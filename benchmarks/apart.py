"""What does one piece of work answer, and how much memory does it hold, in a fresh process that is ended when it takes too long?"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def apart(work: Callable[..., Answer], *given: object, limit_seconds: float) -> Answer | None:
    """What `work(*given)` of a module answers in a process of its own; None where it took longer. RuntimeError where the process died."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(sender, work, given))
    process.start()
    sender.close()
    try:
        if not receiver.poll(limit_seconds):
            return None
        answer: Answer = receiver.recv()
        return answer
    except EOFError:
        process.join()
        raise RuntimeError(f"{work.__name__}{given} died, exit code {process.exitcode}: its last words are on stderr") from None
    finally:
        process.kill()
        process.join()


def memory_mib(name: str) -> float:
    """A line of this process's status in MiB: `RssAnon` is what it holds itself (no mapped file), `VmHWM` the largest it ever held."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"/proc/self/status has no line {name}: this bench measures memory on Linux alone")


def forget_peak() -> None:
    """`VmHWM` begins anew at what is held now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def _run(sender: Connection[Any, Any], work: Callable[..., object], given: tuple[object, ...]) -> None:
    sender.send(work(*given))
    sender.close()
