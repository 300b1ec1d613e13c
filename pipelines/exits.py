"""Which exit code does each outcome have, and what does the user read? The codes of CONTRACTS 2."""

from __future__ import annotations

import errno
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from lake.door import ConflictError
from lake.errors import ConfigError, ContractError, DataRefusedError, LeaseHeldError, MissingInputError
from lake.jars import DependencyError
from models.errors import ArtifactError
from pipelines.visible import visible

USAGE, DATA, MISSING, UNAVAILABLE, BUG, TEMPORARY, CONFIG, INTERRUPTED, TERMINATED = 2, 65, 66, 69, 70, 75, 78, 130, 143

CODES: tuple[tuple[type[Exception], int], ...] = (
    (ConfigError, CONFIG),
    (MissingInputError, MISSING),
    (DataRefusedError, DATA),
    (ArtifactError, DATA),
    (DependencyError, UNAVAILABLE),
    (LeaseHeldError, TEMPORARY),
    (ConflictError, TEMPORARY),
    (ContractError, BUG),
)
EXPECTED = tuple(kind for kind, _ in CODES)

# What the machine refuses, by number in Python and by text where the JVM or a worker met it: code, and what to do.
REFUSED: tuple[tuple[frozenset[int], str, int, str], ...] = (
    (
        frozenset({errno.ENOSPC, errno.EDQUOT}),
        "No space left on device",
        TEMPORARY,
        "free some (lake, artifacts, temporary folder) and run again",
    ),
    (frozenset({errno.EROFS}), "Read-only file system", UNAVAILABLE, "mount it for writing or name another --lake"),
)


def guarded(work: Callable[[], int]) -> int:
    """Runs the command; turns our own errors into one message and their code, anything else into a trace and 70.

    After SIGTERM the answer is 143 whatever the clean-up says: the signal may have taken the JVM down before it.
    """
    stopping = threading.Event()

    def terminated(number: int, frame: FrameType | None) -> NoReturn:
        stopping.set()
        threading.Thread(target=_cancel_jobs, daemon=True).start()
        raise SystemExit(TERMINATED)

    signal.signal(signal.SIGTERM, terminated)
    try:
        return work()
    except EXPECTED as error:
        # names of files and folders stand in messages, and a terminal obeys what it is sent
        sys.stderr.write("assay: " + "\n".join(map(visible, str(error).split("\n"))) + "\n")
        return next(code for kind, code in CODES if isinstance(error, kind))
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("assay: stopped; run again to go on where it was\n")
        return INTERRUPTED
    except (Exception, SystemExit) as error:  # noqa: BLE001  # the one place where an unknown error becomes the code for a bug
        if stopping.is_set():
            sys.stderr.write("assay: terminated; run again to go on where it was\n")
            return TERMINATED
        if isinstance(error, SystemExit):
            raise
        if (refused := _refused(error)) is not None:
            code, message = refused
            sys.stderr.write(f"assay: {message}. Tables are as they were after the last commit.\n")
            return code
        traceback.print_exc()
        sys.stderr.write("assay: this is a bug; the lines above say where. Tables are as they were after the last commit.\n")
        return BUG


def _cancel_jobs() -> None:
    """Ends the Spark jobs of this process, if any, from a thread that has its own way to the JVM.

    The main thread's way is taken until its job ends: pyspark's own clean-up asks on it, and SIGTERM would wait for an hour of training.
    """
    pyspark = sys.modules.get("pyspark")
    context = None if pyspark is None else pyspark.SparkContext._active_spark_context
    if context is not None:
        context.cancelAllJobs()


def _refused(error: BaseException) -> tuple[int, str] | None:
    """Code and message where the machine, not the program, is what failed: somewhere in the chain of errors stands its refusal."""
    link: BaseException | None = error
    while link is not None:
        for numbers, text, code, advice in REFUSED:
            if text in str(link) or (isinstance(link, OSError) and link.errno in numbers):
                place = f" ({visible(str(link.filename))})" if isinstance(link, OSError) and link.filename else ""
                return code, f"{text}{place}: {advice}"
        link = link.__cause__ or link.__context__
    return None
