"""One Spark session and one finished lake for all tests of the engine; who runs beside whom when two processes share the tests."""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lake.door import Lake
    from pipelines.run import Outcome


@dataclass(frozen=True)
class Built:
    """A lake that a run has brought up to date: where it is, its configuration as YAML tree, what the run said."""

    root: Path
    tree: dict[str, Any]
    outcome: Outcome
    trained: Outcome


@pytest.fixture(scope="module")
def script() -> Iterator[Callable[[str], ModuleType]]:
    """The modules of scripts/ by name; they are no package and find each other on the path."""
    folder = str(Path(__file__).resolve().parents[1] / "scripts")
    sys.path.insert(0, folder)
    yield importlib.import_module
    sys.path.remove(folder)


# Expressions are evaluated as they stand instead of being compiled first: of six rows each, a fifth of the time went into the compiling.
# The embedded runs of tests/cluster and tests/endpoint compile, as every session of the product does.
# Nor are plans made anew between the stages of a query of six rows: a tenth of the CPU time. Two tasks behind a shuffle in place of four: a
# twentieth.
INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
}
# A session of the product keeps its heap small; collecting it again and again was a tenth of a test session's time.
ROOMY = ("-Xms1g", "-Xmn400m", "-XX:MetaspaceSize=256m")


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    from lake.jars import java_options
    from lake.session import open_session

    os.environ.setdefault("ASSAY_MASTER", "local[2]")  # the same on every machine
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lake.session.java_options", lambda: [*java_options(), *ROOMY])
        session = open_session("assay-tests")
    for name, value in INTERPRETED.items():
        session.conf.set(name, value)
    yield session
    session.stop()


@pytest.fixture
def toy(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty lake of the test's own. What a ledger has noted is committed before another is opened, as it is at the end of a run."""
    from lake.door import Lake
    from lake.ledger import Ledger

    opened: list[Ledger] = []
    inner = Ledger.__init__

    def open_after_others(ledger: Ledger, lake: Lake, dataset: str) -> None:
        for other in opened:
            other.commit()
        inner(ledger, lake, dataset)
        opened.append(ledger)

    monkeypatch.setattr(Ledger, "__init__", open_after_others)
    return Lake(spark, str(tmp_path / "lake"), "toy-run", "0" * 64)


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.lakes import make_source

    return make_source(tmp_path_factory.mktemp("source"))


# Two processes share the tests (`-n 2`). What one of them takes whole is a file; a free process takes the next in this order, so that both
# end together: what takes half a minute and more, longest first but for the file that makes the lake of `built`, then all others.
LONG = (
    "pipeline/test_again", "cluster/test_standalone", "faults/test_kill", "spark/test_exemplars_spark", "pipeline/test_forecast",
    "pipeline/test_forecast_cut", "spark/test_text_ood", "pipeline/test_shifted", "spark/test_text_gold", "spark/test_own_data",
    "pipeline/test_inversion", "pipeline/test_pets_config", "spark/test_text_ingest", "spark/test_fill", "endpoint/test_serve_sql",
    "cluster/test_commands", "spark/test_door",
)  # fmt: skip


TOGETHER = {"tests/pipeline/test_forecast_cut.py": "tests/pipeline/test_forecast.py"}  # they look at one lake that a session makes once


def file_of(nodeid: str) -> str:
    return nodeid.split("::")[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"tests/{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(file_of(item.nodeid), len(LONG)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Called where the tests are shared out. By path: xdist's own groups do not work with pytest 9.2, which ignores the names they set."""
    from xdist.scheduler import LoadScopeScheduling

    config.option.loadscopereorder = False  # xdist would begin with what has the most tests

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return TOGETHER.get(file_of(nodeid), file_of(nodeid))

    return ByFile(config, log)


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The lake most laws are read from: two trained adapters, then foreign ones beside them, all layers. Read it, never change it.

    Made by the first test process that asks for it; the others wait, and need no session.
    """
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    folder = tmp_path_factory.mktemp("built") if alone else tmp_path_factory.getbasetemp().parent / "built"
    folder.mkdir(exist_ok=True)
    said = folder / "built.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            made = _build(request.getfixturevalue("spark"), request.getfixturevalue("sources"), folder)
            said.write_text(json.dumps(asdict(made), default=str))
    found = json.loads(said.read_text())
    return Built(Path(found["root"]), found["tree"], _outcome(found["outcome"]), _outcome(found["trained"]))


def _outcome(fields: dict[str, Any]) -> Outcome:
    from pipelines.run import Outcome

    return Outcome(**fields)


def _build(spark: SparkSession, sources: Path, folder: Path) -> Built:
    from tests.lakes import make_foreign, settings

    root = folder / "lake"
    alone = settings(sources, None)
    trained = run_on(spark, root, alone, "train", "run-train")
    first = next(path for path in sorted((root / "_artifacts" / "adapters" / "small").iterdir()) if path.name.startswith("r2-s0"))
    tree = settings(sources, make_foreign(folder / "foreign", first))
    return Built(root, tree, run_on(spark, root, tree, "run", "run-first"), trained)


@pytest.fixture
def copied(built: Built, tmp_path: Path) -> Built:
    """A copy of the finished lake, to be changed."""
    root = Path(shutil.copytree(built.root, tmp_path / "lake"))
    return Built(root, built.tree, built.outcome, built.trained)


def run_on(
    spark: SparkSession, root: Path, tree: dict[str, Any], what: str = "run", run_id: str = "run-again", layers: Sequence[str] = ()
) -> Outcome:
    """One run of a configuration on a lake, in this process, of all layers unless some are named."""
    from lake.door import Lake
    from pipelines.run import LAYERS, Pipeline
    from tests.lakes import config_of

    config = config_of(root.parent / f"{run_id}.yaml", tree)
    pipeline = Pipeline(Lake(spark, str(root), run_id, config.sha256), config)
    return pipeline.train() if what == "train" else pipeline.run(layers or LAYERS)


@pytest.fixture(scope="session")
def run(spark: SparkSession) -> Callable[..., Outcome]:
    """(root, configuration, "run" or "train", run id, layers) -> what the run said."""
    return partial(run_on, spark)


@pytest.fixture(scope="session")
def equal_rows() -> Callable[..., None]:
    """(found, expected, rel=…) of lists of rows: equal but for the given relative difference of floats."""

    def same(found: object, expected: object, rel: float) -> bool:
        if isinstance(expected, float) and isinstance(found, float):
            return found == pytest.approx(expected, rel=rel, abs=rel, nan_ok=True)
        if isinstance(expected, dict) and isinstance(found, dict):
            return expected.keys() == found.keys() and all(same(found[key], expected[key], rel) for key in expected)
        if isinstance(expected, (list, tuple)) and isinstance(found, (list, tuple)):
            return len(expected) == len(found) and all(same(a, b, rel) for a, b in zip(found, expected, strict=True))
        return found == expected

    def check(found: list[dict[str, Any]], expected: list[dict[str, Any]], rel: float) -> None:
        assert len(found) == len(expected)
        unlike = [(a, b) for a, b in zip(found, expected, strict=True) if not same(a, b, rel)]
        assert not unlike, f"{len(unlike)} of {len(expected)} rows differ; first: {unlike[0]}"

    return check
