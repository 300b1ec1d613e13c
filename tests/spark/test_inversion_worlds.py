"""Probe worlds in a lake: what is asked is there, once, under the world's own name, and again only where a world's settings changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from gold.inversion.build import build_inversion, dataset_of
from gold.inversion.judge import judge
from gold.inversion.settings import DOMAINS, InversionSettings, SizeSettings
from gold.inversion.tables import TABLES, inversion_summary, inversion_sweep, inversion_verdict
from gold.inversion.worlds import linear
from lake.ledger import Cell, Ledger

if TYPE_CHECKING:
    from lake.door import Lake
    from lake.spec import Table

pytestmark = pytest.mark.spark

SETTINGS = InversionSettings(
    worlds=("linear",), seeds=(0, 1, 2), examples=SizeSettings(tabular=3), trained_on=50, psi=(0.0, 0.8), pokes=4, repeats=2,
    sweep_examples=1, sweep_repeats=(1, 2), sweep_magnitudes=(0.05,),
)  # fmt: skip
KEY = ["explainer", "slot", "psi", "refined", "lam"]


def rows(lake: Lake, table: Table) -> pd.DataFrame:
    found: pd.DataFrame = lake.read(table).toPandas()
    return found


def test_worlds_are_computed_once_and_a_world_again_when_its_settings_change(toy: Lake) -> None:
    build_inversion(toy, SETTINGS)
    summary = rows(toy, inversion_summary.SPEC)
    assert set(summary["dataset"]) == {dataset_of("linear")} and not summary.duplicated(list(inversion_summary.SPEC.key)).any()
    one = pd.DataFrame(judge(linear.WORLD, "formula", 1, SETTINGS).summary).set_index(KEY)
    theirs = summary[summary["seed"] == 1].set_index(KEY).loc[one.index]
    assert theirs["inversion_score"].to_numpy() == pytest.approx(one["inversion_score"].to_numpy(dtype=float), nan_ok=True)
    assert set(rows(toy, inversion_sweep.SPEC)["n_pert"]) == {1, 2}
    verdict = rows(toy, inversion_verdict.SPEC).set_index("explainer")
    assert verdict.loc["all", "verdict"] == "nothing_to_reduce"  # a linear model of weight 0 on the slot

    versions = {table.full_name: toy.version(table) for table in TABLES}
    build_inversion(toy, SETTINGS)
    assert {table.full_name: toy.version(table) for table in TABLES} == versions
    # a run that was killed where the domains' verdict was about to be replaced
    ledger = Ledger(toy, DOMAINS)
    known = ledger.generation(inversion_verdict.SPEC)
    assert known is not None
    ledger.reopen((inversion_verdict.SPEC,), known)
    assert not Ledger(toy, DOMAINS).complete(inversion_verdict.SPEC, known, Cell(), known)
    build_inversion(toy, SETTINGS)
    assert Ledger(toy, DOMAINS).complete(inversion_verdict.SPEC, known, Cell(), known)
    build_inversion(toy, SETTINGS.model_copy(update={"worlds": ("product",), "seeds": (0,)}))
    again = rows(toy, inversion_summary.SPEC)
    assert set(again[again["dataset"] == dataset_of("product")]["seed"]) == {0}
    assert len(again[again["dataset"] == dataset_of("linear")]) == len(summary)
    only = rows(toy, inversion_verdict.SPEC).set_index(["dataset", "model", "explainer"]).loc[(dataset_of("product"), "mlp", "all")]
    assert only["verdict"] is None and "3 seeds" in only["reason"] and only["sentence"].startswith("No verdict from 1 seed")
