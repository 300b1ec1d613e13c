"""What does a second run cost, and one more adapter?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lake.spec import Table
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.run import Outcome
from silver.specs import ADAPTERS, ATTRIBUTIONS, EXPLANATION_METRICS, PREDICTIONS
from tests.conftest import Built
from tests.lakes import RECIPES, THIRD, actions, files_of, rows_of, stored, versions

pytestmark = pytest.mark.spark

COMPUTED = (PREDICTIONS, ATTRIBUTIONS, EXPLANATION_METRICS, OOD_PREDICTIONS)


@dataclass(frozen=True)
class Again:
    """A copy of the finished lake: run once more, then once more with a third recipe and the first under another name."""

    root: Path
    before: dict[str, tuple[int, int]]
    versions_before: dict[str, int]
    second: Outcome
    after_second: dict[str, tuple[int, int]]
    versions_after_second: dict[str, int]
    third: Outcome


@pytest.fixture(scope="module")
def again(built: Built, run: Callable[..., Outcome], tmp_path_factory: pytest.TempPathFactory) -> Again:
    root = Path(shutil.copytree(built.root, tmp_path_factory.mktemp("again") / "lake"))
    before, versions_before = files_of(root), versions(root)
    second = run(root, built.tree)
    after, versions_after = files_of(root), versions(root)
    recipes = [RECIPES[0] | {"name": "another-name"}, *RECIPES[1:], THIRD]
    more = built.tree | {"adapters": built.tree["adapters"] | {"recipes": recipes}}
    third = run(root, more, "run", "run-third", ("bronze", "silver", "ood"))  # gold: test_forecast.py
    return Again(root, before, versions_before, second, after, versions_after, third)


def test_a_second_run_finds_nothing_to_do_and_says_what_it_skipped(built: Built, again: Again) -> None:
    assert again.second.verdict == "nothing_to_do"
    for name, table in again.second.tables.items():
        assert (table["rows_written"], table["rows_rejected"]) == (0, 0), name
        assert table["version_before"] == table["version_after"] == again.versions_before[name], name
    for table in COMPUTED:
        assert again.second.tables[table.full_name]["rows_skipped"] == stored(built.root, table).num_rows > 0


def test_a_second_run_changes_no_file(again: Again) -> None:
    assert again.after_second == again.before
    assert again.versions_after_second == again.versions_before


def test_a_further_adapter_adds_its_own_rows_and_nothing_else(built: Built, again: Again) -> None:
    old = {row["adapter_id"] for row in rows_of(built.root, ADAPTERS)}
    new = [row for row in rows_of(again.root, ADAPTERS) if row["adapter_id"] not in old]
    assert again.third.verdict == "done" and [row["name"] for row in new] == [THIRD["name"]]
    for table in COMPUTED:
        was, now = rows_of(built.root, table), rows_of(again.root, table)
        added = [row for row in now if row["adapter_id"] == new[0]["adapter_id"]]
        assert [row for row in now if row["adapter_id"] in old] == was, table.full_name
        assert len(added) * 3 == len(was), table.full_name  # there were three usable adapters
        assert again.third.tables[table.full_name]["rows_written"] == len(added)
        assert again.third.tables[table.full_name]["rows_skipped"] == len(was)


@pytest.mark.parametrize("table", COMPUTED, ids=lambda table: table.full_name)
def test_a_further_adapter_leaves_the_files_of_the_others_alone(again: Again, table: Table) -> None:
    made = actions(again.root, table, since=again.versions_before[table.full_name])
    assert [action for action in made if "remove" in action] == []
    partitions = {action["add"]["partitionValues"]["adapter_id"] for action in made if "add" in action}
    assert len(partitions) == 1
    untouched = {path: stamp for path, stamp in again.before.items() if path.startswith(f"{table.layer}/{table.name}/dataset=")}
    assert untouched and all(files_of(again.root).get(path) == stamp for path, stamp in untouched.items())


def test_an_adapter_is_found_by_its_recipe_whatever_it_is_called_now(again: Again) -> None:
    # The name is a label; renaming a recipe must not cost a training (CONTRACTS 4).
    folders = sorted(path.name.rsplit("-", 1)[0] for path in (again.root / "_artifacts" / "adapters" / "small").iterdir())
    assert folders == sorted([*(recipe["name"] for recipe in RECIPES), THIRD["name"]])
    assert "another-name" not in {row["name"] for row in rows_of(again.root, ADAPTERS)}
