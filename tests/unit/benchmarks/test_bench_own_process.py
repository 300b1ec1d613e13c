"""Does a module run on the CPU alone, and is nothing of it left when it is over its limit?"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from benchmarks.own_process import environment, failure_of


def test_a_module_sees_no_gpu_and_all_else_of_the_environment(tmp_path: Path) -> None:
    assert environment({"HOME": "/h", "CUDA_VISIBLE_DEVICES": "0"}) == {"HOME": "/h", "CUDA_VISIBLE_DEVICES": ""}
    script = "import os, sys; sys.exit(3 if os.environ.get('CUDA_VISIBLE_DEVICES') == '' else 4)"
    assert failure_of([sys.executable, "-c", script], tmp_path, 30) == "exit code 3"


def test_what_a_module_started_is_stopped_with_it_at_the_limit(tmp_path: Path) -> None:
    script = "sleep 60 & echo $! > child; wait"  # a shell starts in milliseconds, also on a busy machine
    assert failure_of(["sh", "-c", script], tmp_path, 1.0) == "stopped after 1 s"
    assert gone(int((tmp_path / "child").read_text()))


def test_a_module_that_ends_well_has_no_failure(tmp_path: Path) -> None:
    assert failure_of([sys.executable, "-c", "pass"], tmp_path, 30) == ""


def gone(pid: int, seconds: float = 5.0) -> bool:
    """True when the process ends, or is a zombie that nobody waits for, within these seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
            if (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False
