"""What does a command do, seen from outside? Its processes, their memory, the files they map: from /proc alone, no tracing."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

PROC = Path("/proc")
KINDS = ("driver", "jvm", "worker")
END_SECONDS = 10


@dataclass
class Watched:
    """A command under observation: `with Watched(command) as watched: watched.wait()`.

    Every `interval` seconds the process tree is looked at. `peaks`: MiB of each kind, the largest sum seen at one moment of the
    memory that belongs to these processes alone or in shares (PSS); kinds are driver (the command), jvm, worker (Python below the JVM).
    """

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] | None = None
    interval: float = 0.2
    look: Callable[[dict[int, str]], None] = lambda kinds: None
    memory: bool = True
    peaks: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))

    def __enter__(self) -> Self:
        self.log = (self.folder / "command.log").open("wb")
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            list(self.command), stdout=self.log, stderr=subprocess.STDOUT, env=self.environment, stdin=subprocess.DEVNULL
        )
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        below = tree(self.process.pid)
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        for pid in below:  # what the command did not take with it
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until = time.perf_counter() + END_SECONDS  # a killed process is gone a moment later
        while any(alive(pid) for pid in below) and time.perf_counter() < until:
            time.sleep(0.01)
        self._over.set()
        self._watcher.join()
        self.log.close()

    @property
    def seconds(self) -> float:
        """Wall seconds since the command was started."""
        return time.perf_counter() - self.started

    def wait(self, timeout: float) -> None:
        """Waits for a clean end. RuntimeError with the end of its output on another exit code, TimeoutExpired after `timeout` seconds."""
        if code := self.process.wait(timeout):
            output = (self.folder / "command.log").read_text(errors="replace")
            raise RuntimeError(f"{' '.join(self.command)} must exit with 0, found {code}: {output[-2000:]}")

    def wait_for(self, seen: Callable[[], bool], timeout: float) -> None:
        """Waits until `seen`; RuntimeError when the command ends before that, or `timeout` seconds are over."""
        while not seen():
            if self.process.poll() is not None or self.seconds > timeout:
                output = (self.folder / "command.log").read_text(errors="replace")
                raise RuntimeError(f"{' '.join(self.command)} was not seen at its goal after {self.seconds:.0f} s: {output[-2000:]}")
            time.sleep(self.interval)

    def _watch(self) -> None:
        while not self._over.wait(self.interval):
            kinds = tree(self.process.pid)
            if self.memory:
                for kind in KINDS:
                    used = sum(proportional_mib(pid) for pid, found in kinds.items() if found == kind)
                    self.peaks[kind] = max(self.peaks[kind], used)
            self.look(kinds)


def tree(root: int) -> dict[int, str]:
    """Process id -> kind, of a process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir(PROC):
        if entry.isdigit() and (parent := _parent(int(entry))) is not None:
            parents.setdefault(parent, []).append(int(entry))
    kinds, waiting = {}, [(root, "driver")]
    while waiting:
        pid, above = waiting.pop()
        kind = "jvm" if above == "driver" and name_of(pid) == "java" else "worker" if above in ("jvm", "worker") else above
        kinds[pid] = kind
        waiting += [(child, kind) for child in parents.get(pid, [])]
    return kinds


def alive(pid: int) -> bool:
    """False when the process is gone, or dead and only waiting for its parent to ask."""
    stat = _read(pid, "stat")
    return bool(stat) and stat.rpartition(")")[2].split()[0] != "Z"


def name_of(pid: int) -> str:
    """The process's short name; empty when it is gone."""
    return _read(pid, "comm").strip()


def proportional_mib(pid: int) -> float:
    """MiB of a process, pages that it shares counted in shares (Pss of smaps_rollup); 0 when it is gone."""
    for line in _read(pid, "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def maps(pid: int) -> str:
    """The files that a process has mapped, as text; empty when it is gone."""
    return _read(pid, "maps")


def _parent(pid: int) -> int | None:
    text = _read(pid, "stat")  # the name stands in brackets and may hold anything; the parent is the second field behind it
    return int(text.rpartition(")")[2].split()[1]) if text else None


def _read(pid: int, name: str) -> str:
    try:
        return (PROC / str(pid) / name).read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # it may end at any moment
        return ""
