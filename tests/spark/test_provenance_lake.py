"""Provenance networks in a lake: what is asked is there, once; killed, only what is missing is done again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from gold.provenance.build import PictureInputs, ProvenanceInputs, build_provenance
from gold.provenance.settings import ProvenanceSettings
from gold.provenance.tables import TABLES, provenance_epochs, provenance_mislabels, provenance_summary, provenance_verdict
from lake.ledger import Ledger
from models.decode import DecodeLimits, encode_png

if TYPE_CHECKING:
    from lake.door import Lake
    from lake.spec import Table

pytestmark = pytest.mark.spark

TOLD = {
    "seeds": [0, 1],
    "training": {"epochs": 1, "batch_size": 32},
    "epoch_examples": 8,
    "resamples": 20,
    "arms": [{"size": "small", "subset": 1.0}],
}
SETTINGS = ProvenanceSettings.model_validate(TOLD)


def inputs(lake: Lake, artifacts: Path, backwards: bool = False) -> ProvenanceInputs:
    pixels, labels = load_digits(return_X_y=True)
    encoded = [bytearray(encode_png((one.reshape(8, 8) * 15).astype(np.uint8))) for one in pixels[:64]]
    rows = [(f"{n:03d}", int(labels[n]), "meta" if n % 4 == 0 else "adapter_train", encoded[n]) for n in range(64)]
    ordered = rows[::-1] if backwards else rows

    def frame():  # type: ignore[no-untyped-def]  # a DataFrame; pyspark is not there where types are checked
        return lake.spark.createDataFrame(ordered, "example_id string, label_id int, split string, image binary").repartition(3)

    pictures = PictureInputs(frame, "of these", 10, DecodeLimits(), (("dark", 1),), lambda picture, *_: picture // 2, {}, artifacts)
    return ProvenanceInputs("digits", pictures, None)


def rows(lake: Lake, table: Table) -> pd.DataFrame:
    found: pd.DataFrame = lake.read(table).toPandas()
    return found.drop(columns=[column.name for column in table.columns if column.volatile]).sort_values(list(table.key), ignore_index=True)


def test_networks_are_trained_once_and_the_missing_alone_after_a_kill(toy: Lake, tmp_path: Path) -> None:
    store = tmp_path / "artifacts"
    ledger = Ledger(toy, "digits")
    build_provenance(toy, ledger, inputs(toy, store), SETTINGS)
    first = {table.name: rows(toy, table) for table in TABLES}
    summary = first[provenance_summary.SPEC.name]
    assert set(zip(summary["variant"], summary["seed"], strict=True)) == {
        (name, seed) for name in ("class_conditional", "knn_class_conditional") for seed in (0, 1)
    }
    assert len(first[provenance_epochs.SPEC.name]) == 2 and len(first[provenance_mislabels.SPEC.name]) == 0
    assert len(first[provenance_verdict.SPEC.name]) > 0
    versions = {table.full_name: toy.version(table) for table in TABLES}
    build_provenance(toy, ledger, inputs(toy, store), SETTINGS)
    assert {table.full_name: toy.version(table) for table in TABLES} == versions

    # killed with one task done and the tables about to be replaced; the pictures come in another order
    folder = store / "provenance" / "digits"
    tasks = sorted(folder.glob("*.json"))
    kept, lost = tasks[0].stat().st_mtime_ns, tasks[1]
    lost.unlink()
    ledger.reopen(TABLES, summary["settings_id"].iloc[0])
    build_provenance(toy, Ledger(toy, "digits"), inputs(toy, store, backwards=True), SETTINGS)
    assert tasks[0].stat().st_mtime_ns == kept and lost.exists()
    for table in TABLES:
        pd.testing.assert_frame_equal(rows(toy, table), first[table.name])

    more = ProvenanceSettings.model_validate(TOLD | {"arms": [{"size": "small", "subset": 1.0, "variant": ["class_conditional", "plain"]}]})
    build_provenance(toy, Ledger(toy, "digits"), inputs(toy, store), more)
    assert tasks[0].stat().st_mtime_ns == kept and len(list(folder.glob("*.json"))) == 4
    assert "plain classifier" in rows(toy, provenance_summary.SPEC).set_index("variant").loc["class_conditional", "privacy"].iloc[0]


def test_a_dataset_of_which_nothing_is_asked_has_no_tables(toy: Lake) -> None:
    build_provenance(toy, Ledger(toy, "digits"), ProvenanceInputs("digits", None, None), ProvenanceSettings())
    assert not toy.exists(provenance_summary.SPEC)
