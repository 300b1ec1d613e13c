"""Are the rows of source ig those of models.ig_prior, for the twin and for no other adapter?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from lake.rows import ERROR_COLUMNS, Identity
from models.adapters import read_adapter
from models.errors import ArtifactError
from models.ig_prior import ig_prior
from models.merge import write_merged
from models.scored_adapter import ScoredAdapter
from models.text_recipe import twin_of
from models.text_scoring import TextScoring
from silver.priors.jobs import ig_jobs
from silver.priors.twin import IgExtraction, Twin, extract_ig
from silver.specs import PRIORS
from tests.text_training_worlds import LABELS, hybrid, simple, tiny, trained

HOW = hybrid(shots=2, label_noise=0.2, epochs=1, priors={"sources": ["cap", "ig"]})


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> IgExtraction:
    root: Path = tmp_path_factory.mktemp("twin")
    backbone, train, val = tiny(root / "backbone"), simple(24), simple(12, 100)
    adapter = read_adapter(trained(backbone, root / "zoo" / "twin", twin_of(HOW), train).folder, root / "zoo", backbone, LABELS)
    scored = ScoredAdapter(adapter.adapter_id, str(write_merged(adapter, backbone, "float32", root / "merged")), (0, 1, 2))
    identity = Identity("d", "s", ({"source": "ig", "scorer": adapter.adapter_id},))
    (job,) = ig_jobs([HOW])
    return IgExtraction(job.twin, Twin(adapter, scored), TextScoring(backbone, "float32", 8), LABELS, train, val, 4, identity)


def asked(plan: IgExtraction, *ids: str) -> pa.RecordBatch:
    texts = dict(zip(plan.train.example_ids, plan.train.texts, strict=True))
    return pa.RecordBatch.from_pylist([{"example_id": name, "target_id": 1, "text": texts[name], "todo": [0]} for name in ids])


def test_rows_of_chosen_texts_hold_the_twins_values_and_a_text_without_any_is_rejected(plan: IgExtraction) -> None:
    own = (plan.twin.adapter, plan.twin.scored, plan.scoring, LABELS, plan.train, plan.val)
    expected = ig_prior(HOW, *own, steps=4)
    chosen = list(expected)
    lacking = next(name for name in plan.train.example_ids if name not in expected)
    parts = list(extract_ig(iter([asked(plan, *chosen[:2], lacking), asked(plan, *chosen[2:])]), plan))
    rows = {row["example_id"]: row for part in parts for row in part.to_pylist()}
    assert rows.keys() == {*chosen, lacking} and len(chosen) == 6
    for name in chosen:
        assert rows[name]["values"] == expected[name].tolist() and len(rows[name]["words"]) == len(rows[name]["values"])
        assert rows[name]["scorer"] == plan.twin.adapter.adapter_id and rows[name]["leaky_prior"] is False
        assert [rows[name][unknown] for unknown in ("error", "clipped_share", "n_masks", "whole_p", "error_code")] == [None] * 5
    assert rows[lacking]["error_code"] == "nonfinite" and rows[lacking]["values"] is None
    assert parts[0].schema == PRIORS.arrow_schema(ERROR_COLUMNS)


def test_an_adapter_that_saw_other_examples_is_refused(plan: IgExtraction) -> None:
    more = replace(plan, recipe=twin_of(HOW.model_copy(update={"shots": 3})))
    with pytest.raises(ArtifactError, match="must come from its twin"):
        list(extract_ig(iter([asked(plan, plan.train.example_ids[0])]), more))
