"""Is a command seen from outside as it is: its memory, its children, its end?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.processes import Watched, alive, tree


def test_the_peak_of_a_command_is_the_memory_it_touched(tmp_path: Path) -> None:
    # 200 MiB of non-zero bytes held for half a second; an interpreter alone has about 10 MiB
    script = "import time; block = b'x' * (200 << 20); time.sleep(0.5)"
    with Watched([sys.executable, "-c", script], tmp_path, interval=0.05) as watched:
        watched.wait(30)
    assert 200 < watched.peaks["driver"] < 240 and watched.peaks["jvm"] == watched.peaks["worker"] == 0


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with (
        Watched([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path) as watched,
        pytest.raises(RuntimeError, match="no such thing"),
    ):
        watched.wait(30)


def test_a_command_that_ends_before_its_goal_is_told_apart(tmp_path: Path) -> None:
    with Watched([sys.executable, "-c", "pass"], tmp_path) as watched, pytest.raises(RuntimeError, match="not seen at its goal"):
        watched.wait_for(lambda: False, 30)


def test_children_are_found_and_stopped_with_the_command(tmp_path: Path) -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    with Watched([sys.executable, "-c", script], tmp_path, interval=0.05) as watched:
        watched.wait_for(lambda: len(tree(watched.process.pid)) == 2, 30)
        kinds = tree(watched.process.pid)
    assert set(kinds.values()) == {"driver"}
    assert not [pid for pid in kinds if alive(pid)]
