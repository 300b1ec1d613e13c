"""What a person reads of probe worlds after a run."""

from __future__ import annotations

import io

import pandas as pd

from gold.inversion.build import _reason
from gold.inversion.judge import judge
from gold.inversion.settings import InversionSettings, SizeSettings
from gold.inversion.tables import inversion_summary, inversion_verdict
from gold.inversion.worlds import linear
from gold.table import as_table
from lake.spec import Table
from pipelines.told_of_worlds import tell

SETTINGS = InversionSettings(
    seeds=(0,), examples=SizeSettings(tabular=3), trained_on=50, psi=(0.0, 0.8), pokes=3, repeats=1, sweep_examples=0
)


def test_methods_stand_above_controls_and_the_verdict_below_both() -> None:
    rows = [one | {"reason": _reason(one)} for one in judge(linear.WORLD, "formula", 0, SETTINGS).summary]
    frames = {
        inversion_summary.SPEC.name: as_table(inversion_summary.SPEC, "world_linear", rows),
        inversion_verdict.SPEC.name: as_table(inversion_verdict.SPEC, "world_linear", inversion_verdict.verdicts(pd.DataFrame(rows), 0.95)),
    }

    domain = pd.DataFrame([{"domain": "tabular", "sentence": "Of all worlds."}])

    def read(table: Table, dataset: str) -> pd.DataFrame:
        return frames[table.name] if dataset == "world_linear" else domain

    stream = io.StringIO()
    tell(read, ("linear",), stream)
    lines = stream.getvalue().splitlines()
    assert "linear (tabular), formula (score 1.000): 3 examples, 1 seed" in stream.getvalue()
    first = [line.split()[0] for line in lines if line.startswith("    ")][1:-1]
    assert first == ["ig", "kernel_shap", "lime", "occlusion", "oracle", "random", "output_echo", "lime_fresh"]
    assert lines[-3].strip().startswith("No verdict from 1 seed")
    assert lines[-1] == "  tabular, over its trained models: Of all worlds."
    assert "IS" in lines[1] and "never read alone" in stream.getvalue()


def test_without_worlds_nothing_is_said() -> None:
    stream = io.StringIO()
    tell(lambda table, dataset: pd.DataFrame(), (), stream)
    assert not stream.getvalue()
