"""Are all tables and views known under one name, and does the documentation explain them?"""

from __future__ import annotations

import ast
import sys
from importlib import util
from pathlib import Path
from types import ModuleType

import gold
from pipelines.tables import TABLES, VIEWS, WITHOUT_CELLS

ROOT = Path(__file__).parents[3]
REFUSALS = ("ArtifactError", "RejectedInput", "refused")


def script(name: str) -> ModuleType:
    """A file of scripts/ as a module (scripts are no package)."""
    spec = util.spec_from_file_location(f"scripts_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    return module


def test_every_name_stands_for_one_thing():
    names = [item.full_name for item in (*TABLES, *VIEWS)]
    assert len(names) == len(set(names))


def test_every_view_reads_tables_that_there_are():
    assert {name for view in VIEWS for name in view.reads} <= {table.full_name for table in TABLES}


def test_every_computed_table_below_gold_has_a_current_form_unless_it_has_no_cells():
    computed = {t.full_name for t in TABLES if t.layer in ("bronze", "silver", "ood") and "settings_id" in t.key}
    current = {view.full_name.removesuffix("_current") for view in VIEWS if view.name.endswith("_current")}
    assert computed - current == {table.full_name for table in WITHOUT_CELLS}


def test_every_view_of_gold_is_known():
    assert {view.name for view in VIEWS if view.layer == "gold"} == set(gold.VIEWS)


def test_every_code_an_input_is_refused_with_is_explained():
    given = set()
    for room in script("docs_tables").ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in REFUSALS and node.args:
                    code = node.args[0]
                    given |= {code.value} if isinstance(code, ast.Constant) and isinstance(code.value, str) else set()
    assert len(given) > 5 and given <= script("docs_tables").CODES.keys()


def test_a_vertical_bar_cannot_break_a_table():
    assert script("docs_markdown").grid(("a", "b"), [("x|y", "z")]).splitlines()[-1] == r"| x\|y | z |"


def test_the_newest_generation_of_each_part_of_a_table_is_current():
    import duckdb

    view = next(view for view in VIEWS if view.name == "explanation_metrics_current")
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA silver; CREATE SCHEMA audit")
        connection.execute("CREATE TABLE silver.explanation_metrics AS SELECT * FROM (VALUES "
                           "('d', 'e', 'a', 'default', 's1'), ('d', 'e', 'a', 'default', 's2'), ('d', 'e', 'a', 'inversion', 'i1'), "
                           "('d', 'e', 'a', 'inversion', 'i2'), ('d', 'e', 'b', 'default', 's2'), ('d', 'e', 'b', 'inversion', 'i1')) "
                           "AS t(dataset, example_id, adapter_id, metric_group, settings_id)")  # fmt: skip
        connection.execute("CREATE TABLE audit.cells AS SELECT 'd' AS dataset, 'silver.explanation_metrics' AS table_name, * FROM (VALUES "
                           "('a', '*', 's1', 1, 1, 5), ('a', '*', 's2', 1, 1, 2), ('a', 'inversion', 'i1', 1, 1, 3), "
                           "('a', 'inversion', 'i2', 1, 0, 6), ('b', '*', 's2', 1, 1, 2), ('b', 'inversion', 'i1', 1, 1, 3)) "
                           "AS t(adapter_id, corruption, settings_id, n_expected, n_done, generation)")  # fmt: skip
        found = connection.execute(f"SELECT adapter_id, settings_id FROM ({view.duckdb_sql})").fetchall()
    # of adapter a generation s1 is newer than s2, and i2 is half done; a newer inversion hides no other rows, nor they it
    assert sorted(found) == [("a", "i1"), ("a", "s1"), ("b", "i1"), ("b", "s2")]
