"""One run in a process of its own that kills itself at a named moment. The moment is hooked from here; the product knows nothing of it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any


def die() -> None:
    """No handler, no flush, no farewell."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_training(root: Path) -> None:
    """As soon as the first of the adapters stands, while others are still to be trained."""
    import silver.adapters.training.build as zoo

    inner = zoo._train

    def watched(*arguments: Any) -> None:
        def watch() -> None:
            while not any(root.glob("_artifacts/adapters/*/[!.]*/manifest.json")):
                time.sleep(0.005)
            die()

        threading.Thread(target=watch, daemon=True).start()
        inner(*arguments)

    zoo._train = watched


def at_commit(table: str, number: int, before: bool) -> None:
    """At the commit of one chunk (from 0) of one table: between staging and commit, or right after it."""
    import lake.fill as fill

    inner, seen = fill.commit, []

    def watched(lake: Any, spec: Any, rows: Any, n_rows: int) -> None:
        mine = spec.full_name == table
        if mine:
            seen.append(1)
        if mine and before and len(seen) == number + 1:
            die()
        inner(lake, spec, rows, n_rows)
        if mine and not before and len(seen) == number + 1:
            die()

    fill.commit = watched


def main() -> int:
    moment, config, root, batch_rows = sys.argv[1:]
    import lake.session as session
    from pipelines.__main__ import main as assay
    from tests.conftest import INTERPRETED, ROOMY

    options = session.java_options()
    session.java_options = lambda: [*options, *ROOMY]
    session.REQUIRED |= INTERPRETED | {"spark.sql.execution.arrow.maxRecordsPerBatch": batch_rows}
    if moment == "training":
        in_training(Path(root))
    elif moment == "staged":
        at_commit("silver.explanation_metrics", 1, before=True)
    elif moment == "committed":
        at_commit("ood.predictions", 0, before=False)
    else:
        raise ValueError(moment)
    return assay(["run", config, "--lake", root, "--quiet"])


if __name__ == "__main__":
    sys.exit(main())
