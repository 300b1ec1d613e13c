"""jobs/run_pipeline.py as it was shipped, with one Python worker killed in the middle of a task, and a witness of what was loaded where.

The moments are hooked from the driver; the product knows nothing of it. A function that is patched into a room's build.py travels to the
workers by value, inside the closure of its stage. $WITNESS names the folder in which each witness leaves a file.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
from pathlib import Path
from typing import Any

WITNESS = Path(os.environ["WITNESS"])
WATCHED = ("spark.sql.execution.arrow.maxRecordsPerBatch", "spark.sql.extensions", "spark.app.name", "spark.executorEnv.PYTHONPATH")


def watch_session() -> None:
    """Writes what became of the settings, and where the driver found its rooms."""
    import pipelines.command as command

    inner = command.open_session

    def opened() -> Any:
        session = inner()
        conf = dict(session.sparkContext.getConf().getAll())
        found = {"file": command.__file__, "conf": {name: conf.get(name) for name in WATCHED}}
        (WITNESS / "driver.json").write_text(json.dumps(found))
        return session

    command.open_session = opened


def watch_scoring() -> None:
    """Kills the worker of one task of ood.predictions with -9, in its first attempt, when it has given away its first batch."""
    import ood.build as build

    folder = str(WITNESS)

    def watched(batches: Any, plan: Any) -> Any:
        import sys

        from pyspark import TaskContext

        import ood.score

        task: Any = TaskContext.get()
        seen: list[str] = []  # examples that came in
        n_given = 0  # rows that went out

        def note() -> None:
            found = {"file": os.path.abspath(ood.score.__file__), "cwd": os.getcwd(), "path": sys.path, "examples": seen, "n": n_given}
            (Path(folder) / f"task-{task.partitionId()}-{task.attemptNumber()}-{os.getpid()}.json").write_text(json.dumps(found))

        def noted() -> Any:
            for batch in batches:
                seen.extend(batch.column("example_id").to_pylist())
                yield batch

        for given in ood.score.expose(noted(), plan):
            yield given
            n_given += given.num_rows
            note()
            if task.partitionId() == 0 and task.attemptNumber() == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    build.expose = watched


if __name__ == "__main__":
    from pipelines.rooms import ROOT

    watch_session()
    watch_scoring()
    runpy.run_path(str(ROOT.parent / "jobs" / "run_pipeline.py"), run_name="__main__")
