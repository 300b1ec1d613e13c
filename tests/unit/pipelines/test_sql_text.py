"""Is a query recognised as reading, and are the tables it names found, before any engine runs?"""

from __future__ import annotations

import pytest

from pipelines.sql.text import advice, percent_coded, refusal, unknown_names, wanted


@pytest.mark.parametrize(
    "text", ["SELECT 1", " with a as (select 1) select 1", "-- why\n/* so\n */ show tables", "DESCRIBE x", "desc x", "(select 1)"[1:-1]]
)
def test_a_reading_statement_passes(text: str):
    assert refusal(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO x VALUES (1)",
        "drop table x",
        "-- select\nDELETE FROM x",
        "/* select */ UPDATE x",
        "SET a=1",
        "FROM a INSERT INTO b",
        "selective",
    ],
)
def test_every_other_statement_is_refused(text: str):
    assert "must begin with SELECT" in str(refusal(text))


def test_an_empty_text_is_refused_as_no_statement():
    assert "no statement" in str(refusal(" -- only a comment"))


def test_named_tables_are_found_in_every_spelling():
    text = 'SELECT * FROM Gold.Degradation d JOIN "silver"."adapters" USING (x), `ood` . `predictions` WHERE d.bronze.x = 1'
    assert wanted(text) == {"gold.degradation", "silver.adapters", "ood.predictions"}


def test_a_query_that_asks_what_there_is_wants_everything():
    assert wanted("SHOW TABLES IN gold") is None
    assert wanted("DESCRIBE gold.degradation") == {"gold.degradation"}
    assert wanted("SELECT 1") == set()


def test_unknown_names_are_those_read_from_and_not_there():
    assert unknown_names('select * from "gold".x join silver.y on 1=1 join gold.x', {"silver.y"}) == ["gold.x"]


def test_advice_tells_near_names_forgotten_layers_and_what_is_not_computed_yet():
    existing = ["silver.predictions", "ood.predictions", "gold.slices"]
    told = advice(["silver.prediction", "predictions", "gold.forecasts"], existing, {"gold.forecasts"})
    lines = told.splitlines()
    assert lines[0] == "silver.prediction is no table of this lake: did you mean silver.predictions or ood.predictions?"
    assert "silver.predictions" in lines[1] and "ood.predictions" in lines[1]
    assert lines[2] == "gold.forecasts is not in this lake yet: `assay run` makes it."
    assert lines[3] == "In this lake: gold.slices, ood.predictions, silver.predictions."


def test_only_percent_and_two_hex_digits_is_a_code():
    assert percent_coded("/a%20b") and not percent_coded("/100%/zz")
