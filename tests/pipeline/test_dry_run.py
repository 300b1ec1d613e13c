"""Does a dry run say what the run would do, at which price, and leave everything as it is?"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.plan.dry_run import dry_run
from tests.lakes import N_EXAMPLES, RECIPES, REJECTED_ADAPTERS, THIRD, config_of, files_of

if TYPE_CHECKING:
    from tests.conftest import Built

pytestmark = pytest.mark.spark


def planned(built: Built, tmp_path: Path, tree: dict[str, Any], seconds: float, root: Path | None = None) -> str:
    """What a dry run on the finished lake (or a new one) prints."""
    told = io.StringIO()
    assert dry_run(config_of(tmp_path / "plan.yaml", tree), str(root or built.root), told, seconds) == 0
    return told.getvalue()


def stage(told: str, name: str) -> list[float]:
    """(rows, forwards, hours, GB) of one line of the table of stages."""
    found = re.search(rf"^  {re.escape(name)} +([\d,]+) +([\d,]+) +([\d.]+) +([\d.]+)$", told, re.MULTILINE)
    assert found, told
    return [float(number.replace(",", "")) for number in found.groups()]


def with_third(built: Built) -> dict[str, Any]:
    return built.tree | {"adapters": built.tree["adapters"] | {"recipes": [*RECIPES, THIRD]}}


def test_on_a_finished_lake_nothing_is_to_do_and_every_adapter_is_named_for_what_it_is(built: Built, tmp_path: Path) -> None:
    told = planned(built, tmp_path, built.tree, 5.0)
    # `same` repeats the first recipe's adapter, `scaled` is a foreign one of its own.
    assert "adapters: 0 to train, 2 trained; offered: 0 new, 1 known, 1 the same as another; 4 rejected" in told
    for name, code in REJECTED_ADAPTERS.items():
        assert f"rejected {name}: {code}" in told
    assert re.findall(r"^  (\S+\.\S+) +([\d,]+) +[\d,]+$", told, re.MULTILINE)[0][0] == "bronze.examples"
    assert {n for _, n in re.findall(r"^  (\S+\.\S+) +([\d,]+) +[\d,]+$", told, re.MULTILINE)} == {"0"}
    assert "forwards" not in told  # nothing to measure for


def test_one_more_recipe_is_priced_and_nothing_is_written(built: Built, tmp_path: Path) -> None:
    before = files_of(built.root)
    told = planned(built, tmp_path, with_third(built), 1.0)
    assert files_of(built.root) == before
    assert "adapters: 1 to train, 2 trained;" in told
    n_meta = int(re.search(r"silver\.predictions +([\d,]+) ", told)[1])  # type: ignore[index]  # one row a picture: the new adapter's
    # 7 cells: clean, and two corruptions at three severities
    assert stage(told, "ood.predictions")[:2] == [7 * n_meta, 7 * n_meta]
    # DEFAULT's three methods and KI's one on 16 units: 62 masks under mean, 17 under zero (tests/unit/pipelines/test_calibrate.py)
    assert stage(told, "silver.explanation_metrics")[:2] == [4 * n_meta, 79 * n_meta]
    assert stage(told, "silver.adapters")[0] == 1 and "silver.explanation_metrics" in told.splitlines()[-2]  # over 200 rows are there


def counts_of(told: str) -> dict[str, tuple[int, int]]:
    """Table -> rows (to do, done)."""
    found = re.findall(r"^  (\S+\.\S+) +([\d,]+) +([\d,]+)$", told, re.MULTILINE)
    return {name: (int(to_do.replace(",", "")), int(done.replace(",", ""))) for name, to_do, done in found}


def test_what_others_have_done_in_the_lake_is_not_taken_for_what_this_configuration_asks_for(built: Built, tmp_path: Path) -> None:
    # The lake has three adapters with two of KI's corruptions. Asked for: one of them, one that is to be trained, and fog.
    others = built.tree["adapters"] | {"recipes": [RECIPES[0], THIRD], "folders": []}
    told = planned(built, tmp_path, built.tree | {"adapters": others, "corruptions": {"names": ["fog"]}}, 0.0)
    assert "adapters: 1 to train, 1 trained; offered: 0 new, 0 known;" in told
    found = counts_of(told)
    n_meta = sum(found["silver.predictions"]) // 2
    assert found["silver.predictions"] == (n_meta, n_meta)
    assert found["silver.explanation_metrics"][1] == sum(found["silver.explanation_metrics"]) // 2
    # clean and five severities of fog for two adapters; clean of the trained one is there
    assert found["ood.predictions"] == (11 * n_meta, n_meta)
    assert found["bronze.embeddings"][0] == 0


def test_group_inversion_is_counted_and_priced_apart_from_the_other_metrics(built: Built, tmp_path: Path) -> None:
    tree = built.tree | {"explanations": built.tree["explanations"] | {"inversion": {"n": 5, "pokes": 3, "repeats": 1}}}
    told = planned(built, tmp_path, tree, 1.0)
    counted = re.search(r"^  its group inversion +([\d,]+) +([\d,]+)$", told, re.MULTILINE)
    assert counted and counted.groups() == ("45", "0")  # five examples, three adapters; attention, random and output_echo
    # of 16 patches: the clean picture twice, 3 + 16 pokes, and 1 + 16 for what each patch does
    assert stage(told, "its group inversion")[:2] == [45, 15 * (2 + 19 + 17)]
    assert counts_of(told)["silver.explanation_metrics"][0] == 0


def test_before_anything_is_there_the_whole_plan_is_foretold(built: Built, tmp_path: Path) -> None:
    told = planned(built, tmp_path, built.tree, 0.0, tmp_path / "new")
    assert "2 to train, 0 trained; offered: 0 new, 0 known, 6 to be judged when there is a backbone; 0 rejected" in told
    n_all = int(re.search(r"bronze\.embeddings +([\d,]+) ", told)[1])  # type: ignore[index]  # a line of the table
    assert abs(n_all - N_EXAMPLES) <= 6  # duplicates, conflicts and damage show only when pictures are read
    assert not (tmp_path / "new").exists() and "total" not in told


def test_exemplars_and_what_they_say_of_answers_are_counted(built: Built, tmp_path: Path) -> None:
    told = planned(built, tmp_path, built.tree | {"exemplars": {"heads": [{"name": "slots"}], "k": 3}}, 0.0)
    n_meta = sum(counts_of(told)["silver.attributions"]) // 3
    assert counts_of(told)["silver.exemplars"] == (2 * 3 * n_meta, 0)  # knn and slots, three ranks
    counted = re.search(r"^  its group provenance +([\d,]+) +([\d,]+)$", told, re.MULTILINE)
    assert counted and counted.groups() == (f"{2 * 3 * n_meta:,}", "0")  # knn and slots, three adapters
    assert "silver.exemplars" not in planned(built, tmp_path, built.tree, 0.0)
