"""Do priors of six texts fill silver.priors once, one generation beside the other, and come back as what a training is given?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from lake.audit import CELLS, REJECTED
from lake.door import Lake
from lake.errors import ConfigError
from lake.ledger import Ledger
from lake.rows import Identity
from models.adapters import read_adapter
from models.merge import write_merged
from models.scored_adapter import ScoredAdapter
from models.text_recipe import TextRecipe
from models.text_scoring import TextScoring
from models.text_training import train_text
from models.text_training_data import TextTrainingSet
from silver.priors.build import build_ig_priors, build_priors, priors_of
from silver.priors.extract import Extraction, extract
from silver.priors.jobs import SOURCES, PriorJob, ig_jobs, prior_jobs
from silver.priors.settings import PriorSettings
from silver.priors.twin import Twin
from silver.priors.work import Generation, PriorWork, Scorers
from silver.specs import PRIORS
from tests.text_training_worlds import LABELS, simple, tiny

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lake.spec import Table

pytestmark = pytest.mark.spark

SCORER = {"width": 16, "depth": 1, "heads": 2, "kv_heads": 1, "mlp_width": 16, "vocabulary": 300, "epochs": 1, "max_tokens": 512}
TOO_LONG = "id0004"


def six() -> TextTrainingSet:
    """Six texts, of which one is longer than the scorer reads."""
    few = simple(6)
    texts = tuple("card " * 600 if name == TOO_LONG else text for name, text in zip(few.example_ids, few.texts, strict=True))
    return TextTrainingSet(texts, few.label_ids, few.example_ids)


def work(folder: Path) -> PriorWork:
    settings = PriorSettings.model_validate({"scorer": {"train": SCORER}, "commit_texts": 4})
    return PriorWork("d", LABELS, "e" * 16, six(), simple(6, 100), settings, folder)


def steered(*sources: str, n: int = 8, **more: Any) -> TextRecipe:
    own = {"name": "-".join([*sources, str(n), *more]), "epochs": 1, "batch_size": 8, "kind": "cap_hybrid", "use_dora": False}
    return TextRecipe.model_validate(own | {"priors": {"sources": sources, "n": n}, **more})


def versions(lake: Lake) -> list[int | None]:
    return [lake.version(table) for table in (PRIORS, REJECTED, CELLS)]


def test_a_second_run_computes_nothing_and_another_n_stands_beside_the_first(toy: Lake, tmp_path: Path) -> None:
    own, recipes, ledger = work(tmp_path / "artifacts"), [steered("cap", "lime"), steered("cap")], Ledger(toy, "d")
    made = build_priors(toy, ledger, own, recipes)
    ledger.commit()  # as a run's end does
    assert list(made) == list(prior_jobs(recipes)) and len({generation.settings_id for generation in made.values()}) == 2
    rows = toy.read(PRIORS).collect()
    assert sorted((row.source, row.example_id) for row in rows) == sorted(
        (source, name) for source in ("cap", "lime", "shap") for name in own.train.example_ids if name != TOO_LONG
    )
    refused = toy.read(REJECTED).collect()
    assert [row.error_code for row in refused] == ["too_large"] * 3 and all(TOO_LONG in row.key for row in refused)
    assert {row.scorer for row in rows} == {generation.scorer for generation in made.values()} and not any(row.leaky_prior for row in rows)

    before = versions(toy)
    again = Lake(toy.spark, toy.root, "again")
    assert build_priors(again, Ledger(again, "d"), own, recipes) == made
    assert versions(again) == before and again.report()["silver.priors"]["rows_skipped"] == 18

    more = build_priors(again, Ledger(again, "d"), own, [*recipes, steered("cap", n=12)])
    assert {job: more[job] for job in made} == made and len(more) == 3
    after = {(row.settings_id, row.source, row.example_id): row for row in again.read(PRIORS).collect()}
    assert len(after) == 20 and all(after[row.settings_id, row.source, row.example_id] == row for row in rows)
    assert sorted({row.n_masks for row in after.values()}) == [8, 12]

    found = priors_of(again, own, recipes[0], more)
    assert list(found) == [name for name in own.train.example_ids if name != TOO_LONG]  # rejected: trained without a prior
    assert own.train.with_priors(found).priors is not None  # of the right length and norm
    assert any(not np.array_equal(found[name], priors_of(again, own, recipes[1], more)[name]) for name in found)


class Killed(BaseException):
    """A run's end in the middle of its work."""


def alone(own: PriorWork, job: PriorJob, generation: Generation) -> dict[tuple[str, str], list[float]]:
    """(example, source) -> values, from the verb itself, all texts in one batch: what a run says that nobody disturbed."""
    variants = tuple({"source": source, "scorer": generation.scorer} for source in SOURCES[job.template])
    scorer = Scorers(own).of(job.chosen, own.selection(job.chosen))
    plan = Extraction(
        scorer.model, LABELS, own.settings, job.n, job.template, scorer.leaky, Identity("d", generation.settings_id, variants)
    )
    columns = {"example_id": own.train.example_ids, "target_id": own.train.label_ids, "text": own.train.texts}
    batch = pa.RecordBatch.from_pydict(columns | {"todo": [[0, 1]] * len(own.train)})
    found = [row for part in extract(iter([batch]), plan) for row in part.to_pylist()]
    return {(row["example_id"], row["source"]): row["values"] for row in found if row["error_code"] is None}


def test_a_run_killed_in_the_middle_and_one_that_lost_its_ledger_compute_only_what_is_lacking(
    toy: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, recipes = work(tmp_path / "artifacts"), [steered("lime")]  # 12 rows in chunks of 8 or so: two commits
    done: list[int] = []

    def until_the_second(lake: Lake, table: Table, rows: DataFrame, n_rows: int) -> None:
        if done:
            raise Killed
        done.append(n_rows)
        lake.append(table, rows, n_rows)

    with monkeypatch.context() as patched:
        patched.setattr("lake.fill.commit", until_the_second)
        with pytest.raises(Killed):
            build_priors(toy, Ledger(toy, "d"), own, recipes)
    first = {(row.example_id, row.source) for row in toy.read(PRIORS).collect()}
    assert 0 < len(first) == done[0] < 10
    after = Lake(toy.spark, toy.root, "after")
    ledger = Ledger(after, "d")
    ((job, generation),) = build_priors(after, ledger, own, recipes).items()
    ledger.commit()
    rejected = {(json.loads(row.key)["example_id"], row.error_code) for row in after.read(REJECTED).collect()}
    assert rejected == {(TOO_LONG, "too_large")} and after.read(REJECTED).count() == 2
    assert after.report()["silver.priors"]["rows_written"] == 10 - len(first)
    whole = sorted(after.read(PRIORS).collect())
    assert isinstance(job, PriorJob)
    assert {(row.example_id, row.source): row["values"] for row in whole} == alone(own, job, generation)

    kept = [row for row in whole if not (row.example_id == "id0001" and row.source == "shap")]
    toy.replace(PRIORS, toy.spark.createDataFrame(kept, PRIORS.ddl()), len(kept), dataset="d")
    toy.replace(CELLS, toy.spark.createDataFrame([], CELLS.ddl()), 0, dataset="d")
    again = Lake(toy.spark, toy.root, "again")
    assert list(build_priors(again, Ledger(again, "d"), own, recipes).values()) == [generation]
    assert again.report()["silver.priors"]["rows_written"] == 1
    assert sorted(again.read(PRIORS).collect()) == whole


def test_the_ig_prior_is_the_twins_under_its_id_and_needs_it_trained(toy: Lake, tmp_path: Path) -> None:
    backbone, own, recipe = tiny(tmp_path / "backbone"), work(tmp_path / "artifacts"), steered("ig", shots=1)
    scoring = TextScoring(backbone, "float32", 4, (16, 32, 64))
    (job,) = ig_jobs([recipe])
    with pytest.raises(ConfigError, match=r"needs the adapter of twin ig-8-shots-twin, found none"):
        build_ig_priors(toy, Ledger(toy, "d"), own, [recipe], scoring, {})
    folder = train_text(job.twin, backbone, LABELS, own.train, own.val, tmp_path / "zoo" / "twin", scoring.fitted_buckets).folder
    adapter = read_adapter(folder, folder.parent, backbone, LABELS)
    merged = write_merged(adapter, backbone, "float32", tmp_path / "merged")
    trained = {job: Twin(adapter, ScoredAdapter(adapter.adapter_id, str(merged), (0, 1, 2)))}
    made = build_ig_priors(toy, Ledger(toy, "d"), own, [recipe], scoring, trained)
    assert made[job].scorer == adapter.adapter_id and made[job].leaky is False
    rows = toy.read(PRIORS).collect()
    chosen = own.selection(job.chosen).examples
    assert sorted(row.example_id for row in rows) == sorted(chosen.example_ids) and len(rows) == 3  # one shot of three labels
    assert all(row.source == "ig" and row.error is None and row.n_masks is None and min(row["values"]) >= 0 for row in rows)
    assert set(priors_of(toy, own, recipe, made)) == set(chosen.example_ids)
    before = toy.version(PRIORS)
    assert build_ig_priors(toy, Ledger(toy, "d"), own, [recipe], scoring, trained) == made and toy.version(PRIORS) == before
