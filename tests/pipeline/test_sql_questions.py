"""Do both engines answer every question of docs/sql.md alike, on a real lake, today's state and an earlier one?"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gold.inversion.tables.inversion_verdict import SPEC as VERDICT
from lake.audit import RUNS
from ood.specs import PREDICTIONS
from pipelines.sql.as_of import EPOCH, MILLISECOND
from pipelines.sql.duck import commits
from pipelines.sql.query import Engine, query
from tests.conftest import Built
from tests.lakes import REJECTED_PICTURES
from tests.small_lake import write_table
from tests.unit.pipelines.test_tables import script

pytestmark = pytest.mark.spark
QUESTIONS = script("docs_sql").questions((Path(__file__).resolve().parents[2] / "docs" / "sql.md").read_text(encoding="utf-8"))
FLOATS = 1e-9  # both add up the same doubles, in another order


@pytest.fixture(scope="module")
def asked_lake(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished lake with the row of audit.runs that the command line writes around a run, and a verdict as of a probe world."""
    root = Path(shutil.copytree(built.root, tmp_path_factory.mktemp("questions") / "lake"))
    row = {"run_id": "run-first", "command": "run", "dataset": "small", "config_sha256": "0" * 64, "config": "{}", "verdict": "done"}
    started = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    write_table(root, RUNS, [row | {"versions": [("torch", "2.13.0")], "seconds": 12.5, "started_at": started, "tables": "{}"}])
    verdict = dict.fromkeys(VERDICT.column_names) | {"dataset": "world_linear", "domain": "tabular", "model": "formula", "explainer": "all"}
    write_table(
        root, VERDICT, [verdict | {"verdict": "no_evidence", "gain": 0.001, "gain_ci_low": -0.01, "gain_ci_high": 0.012, "n_seeds": 5}]
    )
    return root


def asked(root: Path, text: str, engine: Engine, as_of: str | None = None) -> list[dict[str, Any]]:
    stream = io.StringIO()
    assert query(str(root), text, engine, "json", stream, as_of) == 0
    return list(json.loads(stream.getvalue()))


def test_the_document_asks_at_least_ten_questions_and_says_how_to_read_each_answer() -> None:
    assert len(QUESTIONS) >= 10
    assert all(question.reading and question.answer.strip() for question in QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_both_engines_give_the_same_answer_to_a_question(
    spark: Any, asked_lake: Path, question: Any, equal_rows: Callable[..., None]
) -> None:
    found = asked(asked_lake, question.sql, "spark")
    # a lake this small may have no such picture, it has no texts, nobody asked for pokes or heads
    assert found or any(
        words in question.title for words in ("fail in every adapter", "prior fusion", "used, or told", "behind this failure")
    )
    equal_rows(found, asked(asked_lake, question.sql, "duckdb"), FLOATS)


def test_what_was_rejected_is_what_the_source_holds(asked_lake: Path) -> None:
    question = next(question for question in QUESTIONS if question.title.startswith("What was rejected"))
    rows = [row for row in asked(asked_lake, question.sql, "duckdb") if row["table_name"] == "bronze.examples"]
    assert sum(row["n"] for row in rows) == len(REJECTED_PICTURES)
    assert {row["error_code"] for row in rows} == set(REJECTED_PICTURES.values())


def test_an_earlier_version_is_the_same_in_both_engines_and_not_todays(spark: Any, asked_lake: Path) -> None:
    # Version 0 made the table, version 1 brought the first rows; views read their tables at that version too.
    count = "SELECT COUNT(*) AS n FROM ood.predictions"
    now, one = (asked(asked_lake, count, "duckdb", as_of) for as_of in (None, "1"))
    assert asked(asked_lake, count, "spark", "1") == one != now
    assert asked(asked_lake, count, "spark") == now  # the name means today's table again


def test_a_time_means_the_same_versions_in_both_engines(spark: Any, asked_lake: Path) -> None:
    # Between two commits of one table: of the others whatever was there then. Both engines read it from the commits' own notes.
    log = commits(str(asked_lake), PREDICTIONS)
    then = (EPOCH + log[1].timestamp * MILLISECOND).isoformat()
    text = "SELECT (SELECT COUNT(*) FROM ood.predictions) AS ood, (SELECT COUNT(*) FROM bronze.examples) AS examples"
    found = asked(asked_lake, text, "spark", then)
    assert found == asked(asked_lake, text, "duckdb", then)
    assert 0 < found[0]["ood"] < asked(asked_lake, text, "duckdb")[0]["ood"]
