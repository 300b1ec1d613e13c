"""How does a module run so that nothing of it is left behind? In a process group of its own, ended with all it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


def environment(outer: Mapping[str, str], gpu: bool = False) -> dict[str, str]:
    """The environment of a module: unless it is about a GPU none is seen, so that every compared way of doing a thing runs on the CPU."""
    return dict(outer) if gpu else {**outer, "CUDA_VISIBLE_DEVICES": ""}


def failure_of(command: Sequence[str], folder: Path, limit_seconds: float, gpu: bool = False) -> str:
    """Runs the command in `folder`, its output on stderr; why it failed, empty when it did not.

    A session of its own: a run that the module started does not go on after the module was stopped, by its limit or by Ctrl-C.
    """
    process = subprocess.Popen(
        list(command), cwd=folder, env=environment(os.environ, gpu), stdout=sys.stderr, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        code = process.wait(limit_seconds)
    except subprocess.TimeoutExpired:
        return f"stopped after {limit_seconds:g} s"
    finally:
        with suppress(ProcessLookupError):  # nobody is left of the group
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return f"exit code {code}" if code else ""
