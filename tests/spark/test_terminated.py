"""Does SIGTERM end a command although a Spark job of minutes is on its way? In a process of its own, for no session outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.exits import TERMINATED

pytestmark = pytest.mark.spark
ROOT = Path(__file__).resolve().parents[2]
LONG = 120  # seconds that the job takes when it is left alone
CHILD = f"""
import sys, time
from lake.session import open_session
from pipelines.exits import guarded

def slow(frames):
    for frame in frames:
        time.sleep({LONG})
        yield frame

def work():
    spark = open_session()
    frame = spark.range(1, numPartitions=1).mapInPandas(slow, "id bigint")
    print("started", flush=True)
    return len(frame.collect())

sys.exit(guarded(work))
"""


def test_sigterm_ends_a_command_in_the_middle_of_a_job(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "ASSAY_MASTER": "local[1]"}
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline() == "started\n"
        time.sleep(3.0)  # the job is on its way
        sent = time.monotonic()
        child.send_signal(signal.SIGTERM)
        _, stderr = child.communicate(timeout=LONG)
    assert child.returncode == TERMINATED, stderr
    assert "assay: terminated; run again to go on where it was\n" in stderr
    assert time.monotonic() - sent < LONG / 2  # pyspark's own clean-up would wait for the job to end
