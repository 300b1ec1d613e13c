"""Does a query get exactly the tables it needs, and is a path that could break out of SQL refused?"""

from __future__ import annotations

import pytest

from lake.catalog import View, checked_path, plan
from lake.errors import ConfigError, ContractError
from lake.spec import Column, Table


def table(name: str) -> Table:
    return Table("gold", name, "c", ("k",), (Column("k", "string", "key"),))


def view(name: str, *reads: str) -> View:
    return View("gold", name, "c", "SELECT 1", "SELECT 1", reads)


TABLES = (table("a"), table("b"), table("c"))
VIEWS = (view("v", "gold.a"), view("w", "gold.v", "gold.b"))  # w reads v, which reads a


def test_only_named_tables_are_looked_for():
    asked: list[str] = []
    found = plan(TABLES, VIEWS, {"gold.b"}, lambda item: asked.append(item.name) is None)
    assert asked == ["b"]
    assert found.names == ("gold.b",)


def test_a_view_pulls_in_what_it_reads_through_other_views():
    found = plan(TABLES, VIEWS, {"gold.w"}, lambda item: True)
    assert found.names == ("gold.a", "gold.b", "gold.v", "gold.w")


def test_a_view_is_absent_when_anything_below_it_is_absent():
    found = plan(TABLES, VIEWS, None, lambda item: item.name != "a")
    assert found.names == ("gold.b", "gold.c")
    assert set(found.absent) == {"gold.a", "gold.v", "gold.w"}


def test_names_that_nobody_knows_are_neither_present_nor_absent():
    found = plan(TABLES, VIEWS, {"gold.nope"}, lambda item: True)
    assert (found.names, found.absent) == ((), ())


@pytest.mark.parametrize("path", ["/a'b", '/a"b', "/a`b", "/a\\b", "/a\nb", "/a\0b", "/${spark.master}"])
def test_a_path_that_would_end_its_literal_is_refused(path: str):
    with pytest.raises(ConfigError, match="must hold no quote"):
        checked_path(path)


@pytest.mark.parametrize("path", ["/a b/ü#%20?;--", "s3a://bucket/lake", "/cost$5"])
def test_every_other_path_is_taken_as_it_is(path: str):
    assert checked_path(path) == path


@pytest.mark.parametrize(("layer", "name"), [("gold", "x;y"), ("gold", "X"), ("elsewhere", "x")])
def test_a_view_with_a_strange_name_cannot_be_made(layer: str, name: str):
    with pytest.raises(ContractError, match="view"):
        View(layer, name, "c", "SELECT 1", "SELECT 1", ())
