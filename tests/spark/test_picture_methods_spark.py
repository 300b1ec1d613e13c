"""Do all methods of pictures come into the lake by the one law of `fill`?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lake.fill import Inputs
from lake.ledger import Ledger
from silver.build import SilverIds, build_silver
from silver.settings import ExplanationSettings, MetricGroup, default_explanations
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS
from tests.unit.silver.picture_rows import IDS, SETTINGS, adapter_of, contents, scoring_of

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


def pictures_in(lake: Lake) -> Inputs:
    """Three pictures of noise, as bronze hands them over."""
    rows = [(name, place, "xyz"[place], content) for place, (name, content) in enumerate(zip(IDS, contents(), strict=True))]
    frame = lake.spark.createDataFrame(rows, "example_id string, label_id int, label string, image binary").coalesce(1)
    return Inputs("noise", "e" * 16, "sha", lambda: frame, len(rows))


def rows_of(lake: Lake, table: Table, ids: SilverIds) -> dict[tuple[str, ...], dict[str, object]]:
    settings_id = ids.attributions if table is ATTRIBUTIONS else ids.explanation_metrics
    found = [row.asDict(recursive=True) for row in lake.read(table).collect()]
    assert {row["settings_id"] for row in found} == {settings_id}
    keyed = {tuple(str(row[name]) for name in table.key): row for row in found}
    assert len(keyed) == len(found)
    return keyed


def test_every_picture_and_method_has_its_row_of_attributions_and_of_metrics(toy: Lake, tmp_path: Path) -> None:
    scoring = scoring_of(tmp_path / "backbone", side=28)
    adapters = (adapter_of(scoring, tmp_path / "m.safetensors"),)
    ids = build_silver(toy, Ledger(toy, "noise"), pictures_in(toy), scoring, adapters, asked(*METHODS))
    attributions, metrics = (rows_of(toy, table, ids) for table in (ATTRIBUTIONS, EXPLANATION_METRICS))
    assert len(attributions) == 3 * 6 and len(metrics) == 3 * (6 + 2)  # the row-count law
    assert {row["method"] for row in attributions.values()} == {*METHODS}
    assert {row["method"] for row in metrics.values()} == {*METHODS, *CONTROLS}
    for row in attributions.values():
        assert row["n_units"] == N_UNITS == len(row["values"]) and row["words"] is None
        assert (row["errors"] is None) == row["method"].startswith("attention")
    for row in metrics.values():
        assert {"deletion", "insertion", "deletion_gain", "entropy", "p_intact"} <= set(row["metrics"])
        assert None not in row["metrics"].values()
