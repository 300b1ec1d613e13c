"""Do all methods of pictures come into the lake by the one law of `fill`, and does one that is added later cost itself alone?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bronze.build import Source, build_examples, examples_of
from bronze.settings import DecodeSettings, SourceSettings, SplitSettings
from lake.ledger import Ledger
from silver.build import SilverIds, build_silver
from silver.settings import ExplanationSettings, MetricGroup, default_explanations
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, PREDICTIONS
from tests.unit.silver.picture_rows import SETTINGS, adapter_of, contents, scoring_of

if TYPE_CHECKING:
    from lake.door import Lake
    from lake.spec import Table

pytestmark = pytest.mark.spark

METHODS = ("attention", "occlusion", "ig", "lime", "kernel_shap", "attention_rollout")
CONTROLS = ("random", "reverse")
N_UNITS = 4  # a picture of 28 in patches of 14


def asked(*methods: str) -> ExplanationSettings:
    groups = (MetricGroup.model_validate({"preset": "default", "controls": CONTROLS}),)
    return default_explanations("image", ExplanationSettings(methods=methods, groups=groups, method_settings=SETTINGS))


def source(root: Path) -> Source:
    """Six pictures of noise in three classes, all to be explained."""
    for place, content in enumerate(contents(6)):
        folder = root / "test" / "xyz"[place % 3]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{place}.png").write_bytes(content)
    options = {"reader": "folder", "root": str(root), "split_map": {"test": "meta"}}
    return Source("noise", SourceSettings.model_validate(options), SplitSettings(), DecodeSettings(), 0.0)


def rows_of(lake: Lake, table: Table, ids: SilverIds) -> dict[tuple[str, ...], dict[str, object]]:
    settings_id = ids.attributions if table is ATTRIBUTIONS else ids.explanation_metrics
    found = [row.asDict(recursive=True) for row in lake.read(table).collect()]
    assert {row["settings_id"] for row in found} == {settings_id}
    keyed = {tuple(str(row[name]) for name in table.key): row for row in found}
    assert len(keyed) == len(found)
    return keyed


def test_every_picture_adapter_and_method_has_its_row_and_a_further_method_adds_its_own(toy: Lake, tmp_path: Path) -> None:
    scoring = scoring_of(tmp_path / "backbone", side=28)
    adapters = tuple(adapter_of(scoring, tmp_path / f"{name}.safetensors", name) for name in ("a", "b"))
    ledger = Ledger(toy, "noise")
    examples = build_examples(toy, ledger, source(tmp_path / "pictures"))
    meta = examples_of(toy, examples, ("meta",), 100)
    assert meta.n_examples == 6

    first = build_silver(toy, ledger, meta, scoring, adapters, asked(*METHODS[:-1]))
    before = {table: rows_of(toy, table, first) for table in (ATTRIBUTIONS, EXPLANATION_METRICS)}
    assert len(before[ATTRIBUTIONS]) == 6 * 2 * 5 and len(before[EXPLANATION_METRICS]) == 6 * 2 * (5 + 2)
    assert toy.read(PREDICTIONS).count() == 6 * 2

    assert build_silver(toy, ledger, meta, scoring, adapters, asked(*METHODS)) == first
    attributions, metrics = (rows_of(toy, table, first) for table in (ATTRIBUTIONS, EXPLANATION_METRICS))
    assert len(attributions) == 6 * 2 * 6 and len(metrics) == 6 * 2 * (6 + 2)  # the row-count law
    assert {key: attributions[key] for key in before[ATTRIBUTIONS]} == before[ATTRIBUTIONS]
    assert {key: metrics[key] for key in before[EXPLANATION_METRICS]} == before[EXPLANATION_METRICS]
    assert {row["method"] for row in attributions.values()} == {*METHODS}
    assert {row["method"] for row in metrics.values()} == {*METHODS, *CONTROLS}
    for row in attributions.values():
        assert row["n_units"] == N_UNITS == len(row["values"]) and row["words"] is None
        assert (row["errors"] is None) == row["method"].startswith("attention")
    for row in metrics.values():
        assert {"deletion", "insertion", "deletion_gain", "entropy", "p_intact"} <= set(row["metrics"])
        assert None not in row["metrics"].values()
