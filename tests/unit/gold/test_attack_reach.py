"""Does the view say how many texts an attack could edit, and how an adapter fares on those alone?"""

from __future__ import annotations

import duckdb
import pandas as pd

from gold.attack_reach import SQL

# settings_id, example, attack, edited, keeps_label
TEXTS = [
    ("s", "e1", "typos", True, True),
    ("s", "e2", "typos", True, True),
    ("s", "e3", "typos", True, False),
    ("s", "e4", "typos", False, True),
    ("s", "e1", "homoglyphs", False, None),
    ("old", "e1", "typos", False, None),
]
# settings_id, example, attack, correct, flipped
ANSWERS = [
    ("s", "e1", "none", True, False),
    ("s", "e1", "typos", True, False),
    ("s", "e2", "typos", False, True),
    ("s", "e3", "typos", False, False),
    ("s", "e4", "typos", True, False),
    ("s", "e1", "homoglyphs", True, False),
]


def reach(
    texts: list[tuple[object, ...]],
    answers: list[tuple[object, ...]],
    examined: int = 9,
    attacks: tuple[str, ...] = ("typos", "homoglyphs"),
) -> pd.DataFrame:
    """The view over rows of dataset d, adapter a, severity 1 (clean: 0), where gold judged so many texts under these attacks."""
    attacked = pd.DataFrame(texts, columns=["settings_id", "example_id", "attack", "is_edited", "keeps_label"])
    predicted = pd.DataFrame(answers, columns=["settings_id", "example_id", "corruption", "is_correct", "flipped"])
    attacked = attacked.assign(dataset="d", severity=1)
    predicted = predicted.assign(dataset="d", adapter_id="a", severity=(predicted["corruption"] != "none").astype(int))
    cells = [("d", "a", "none", 0, examined), *(("d", "a", name, 1, examined) for name in attacks)]
    judged = pd.DataFrame(cells, columns=["dataset", "adapter_id", "corruption", "severity", "n"])
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA ood")
        connection.execute("CREATE SCHEMA gold")
        connection.register("judged", judged)
        connection.execute("CREATE TABLE gold.degradation AS SELECT * FROM judged")
        connection.register("attacked", attacked)
        connection.register("predicted", predicted)
        connection.execute("CREATE TABLE ood.attacked_texts AS SELECT * FROM attacked")
        connection.execute("CREATE TABLE ood.predictions AS SELECT * FROM predicted")
        return connection.execute(SQL).df().set_index("attack")


def test_shares_are_those_of_all_texts_and_of_the_edited_ones() -> None:
    found = reach(TEXTS, ANSWERS)
    assert sorted(found.index) == ["homoglyphs", "typos"]  # clean rows and other generations have no part
    typos = found.loc["typos"]
    # 4 texts, 3 of them edited; right: e1, e4 of all, e1 of the edited; flipped: e2
    assert typos[["n", "edited_share", "kept_share", "accuracy", "flip_rate"]].tolist() == [4, 0.75, 0.75, 0.5, 0.25]
    assert (typos["accuracy_edited"], typos["flip_rate_edited"]) == (1 / 3, 1 / 3)


def test_where_nothing_was_edited_or_proved_there_is_no_figure() -> None:
    row = reach(TEXTS, ANSWERS).loc["homoglyphs"]
    assert (row["n"], row["edited_share"], row["accuracy"]) == (1, 0.0, 1.0)
    assert row[["accuracy_edited", "flip_rate_edited", "kept_share"]].isna().all()


def test_texts_that_only_a_larger_run_examined_have_no_part_nor_have_attacks_that_are_asked_for_no_more() -> None:
    found = reach(TEXTS, ANSWERS, examined=2, attacks=("typos",))
    assert found.index.tolist() == ["typos"]
    # e1 and e2 have the smallest ids: both edited and proved, e1 right, e2 flipped
    assert found.loc["typos", ["n", "edited_share", "kept_share", "accuracy", "flip_rate"]].tolist() == [2, 1.0, 1.0, 0.5, 0.5]
