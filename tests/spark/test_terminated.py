"""Does SIGTERM end a command although a Spark job of minutes is on its way?"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from pipelines.exits import TERMINATED, guarded

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
LONG = 90  # seconds that the job takes when it is left alone


def _slow(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for frame in frames:
        time.sleep(LONG)
        yield frame


def test_sigterm_ends_a_command_in_the_middle_of_a_job(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    timer = threading.Timer(3.0, os.kill, (os.getpid(), signal.SIGTERM))
    started = time.monotonic()

    def work() -> int:
        timer.start()
        return len(spark.range(1, numPartitions=1).mapInPandas(_slow, "id bigint").collect())

    try:
        assert guarded(work) == TERMINATED
    finally:
        timer.cancel()
        signal.signal(signal.SIGTERM, before)
    assert time.monotonic() - started < LONG / 2  # pyspark's own clean-up would wait for the job to end
    assert capsys.readouterr().err == "assay: terminated; run again to go on where it was\n"
