"""Does ood.attacked_texts hold the very texts that adapters meet, and say of each whether it was edited and keeps its label?"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from lake.rows import ERROR_COLUMNS, Identity
from models.text_backbone import resolve_text_backbone
from models.text_scoring import TextScoring
from ood.attack_settings import AttackSettings
from ood.attack_texts import Audit, audit
from ood.keyword_source import source_keywords
from ood.specs import ATTACKED_TEXTS
from ood.text_shifts import TextShifts
from tests.text_folders import save_family
from tests.unit.ood.attack_world import KEYWORDS
from tests.unit.ood.test_keyword_source import grammar_rows
from xai.worlds.grammar import LABELS, keeps_label, parse, texts

AWKWARD = ("set an alarm", "Alarm?!", "הגדר set alarm שעון", "no word of it here", "👍🏽 set", "great straße")
OWN = ("set", "cancel", "silent")


@pytest.fixture(scope="module")
def scoring(tmp_path_factory: pytest.TempPathFactory) -> TextScoring:
    folder = tmp_path_factory.mktemp("attacked") / "bert"
    return TextScoring(resolve_text_backbone(str(save_family(folder, "bert"))), "float32", 4, (16, 32, 64))


def plan_of(shifts: TextShifts) -> Audit:
    variants = tuple({"attack": name, "severity": severity} for name, severity in shifts.cells() if severity)
    return Audit(shifts, Identity("d", "s" * 16, variants))


def batches(contents: list[tuple[str, int]], todo: list[list[int]], size: int = 64) -> Iterator[pa.RecordBatch]:
    columns = {
        "example_id": [f"e{at}" for at in range(len(contents))],
        "label_id": pa.array([label for _, label in contents], pa.int32()),
        "text": [text for text, _ in contents],
        "todo": pa.array(todo, pa.list_(pa.int32())),
    }
    return iter(pa.table(columns).to_batches(size))


def rows_of(plan: Audit, contents: list[tuple[str, int]], todo: list[list[int]] | None = None, size: int = 64) -> list[dict[str, object]]:
    wanted = todo or [list(range(len(plan.identity.variants)))] * len(contents)
    return [row for made in audit(batches(contents, wanted, size), plan) for row in made.to_pylist()]


def test_the_table_holds_what_the_model_is_given(scoring: TextScoring) -> None:
    """The tokenised texts of a shift know their source: it must be `edited` of the same example, attack and severity."""
    shifts = TextShifts(scoring, AttackSettings(seed=3), KEYWORDS, OWN)
    contents = [(text, 0) for text in AWKWARD]
    rows = rows_of(plan_of(shifts), contents)
    assert len(rows) == len(AWKWARD) * 18
    ids = [f"e{at}" for at in range(len(AWKWARD))]
    read = [(text, "set") for text in AWKWARD]
    for name, severity in shifts.cells()[1:]:
        edited = {row["example_id"]: row["edited"] for row in rows if (row["attack"], row["severity"]) == (name, severity)}
        assert tuple(edited[name] for name in ids) == shifts.changed(read, ids, name, severity).source
    assert {row["example_id"]: row["original"] for row in rows} == dict(zip(ids, AWKWARD, strict=True))


def test_rows_have_the_schema_and_say_what_was_and_what_was_not_edited(scoring: TextScoring) -> None:
    shifts = TextShifts(scoring, AttackSettings(names=("keyword_deletion",), severities=(1,)), KEYWORDS, OWN)
    (made,) = audit(batches([("set an alarm", 0), ("no word of it here", 0)], [[0], [0]]), plan_of(shifts))
    assert made.schema.equals(ATTACKED_TEXTS.arrow_schema(ERROR_COLUMNS))
    edited, left = made.to_pylist()
    # `set` ranks before `alarm` among the keywords of its class
    assert (edited["edited"], edited["rule"], edited["positions"], edited["is_edited"]) == ("an alarm", "delete word 0 'set'", [0], True)
    assert (left["edited"], left["positions"], left["is_edited"]) == (left["original"], [], False)
    assert left["rule"] == "not_editable: no keyword of 'set' in the text"
    assert edited["keeps_label"] is left["keeps_label"] is None  # no truth is known of these texts
    assert (edited["dataset"], edited["settings_id"], edited["error_code"]) == ("d", "s" * 16, None)


def test_only_what_is_still_to_do_is_made_and_batches_change_nothing(scoring: TextScoring) -> None:
    plan = plan_of(TextShifts(scoring, AttackSettings(names=("typos", "case_noise")), KEYWORDS, OWN))
    contents = [(text, 0) for text in AWKWARD]
    whole = rows_of(plan, contents)
    todo = [[0, 5], [], [2], [0], [], [5]]
    some = rows_of(plan, contents, todo)
    keys = [(f"e{at}", *plan.identity.variants[index].values()) for at, indices in enumerate(todo) for index in indices]
    assert sorted((row["example_id"], row["attack"], row["severity"]) for row in some) == sorted(keys)
    assert all(row in whole for row in some)
    alone = rows_of(plan, contents, size=1)
    assert all(row in whole for row in alone) and len(alone) == len(whole)


def test_every_attacked_text_of_the_grammar_keeps_its_label_and_the_table_says_so(scoring: TextScoring) -> None:
    """6 attacks x 3 severities x 200 texts that no keyword was chosen from: 3,600 rows, each parsed."""
    keywords = source_keywords(grammar_rows(), LABELS)
    shifts = TextShifts(scoring, AttackSettings(), keywords, LABELS, keeps_label)
    attacked = texts(800, 0)[600:]
    rows = rows_of(plan_of(shifts), [(text, LABELS.index(label)) for text, label in attacked])
    assert len(rows) == 6 * 3 * 200
    for row in rows:
        truth = parse(str(row["edited"]))
        assert truth is not None and truth.label == attacked[int(str(row["example_id"])[1:])][1], row
    assert {row["keeps_label"] for row in rows} == {True}
    shares = {name: sum(bool(row["is_edited"]) for row in rows if row["attack"] == name) / 600 for name in shifts.attacks.names}
    assert min(shares.values()) > 0.6, shares
    assert all((row["edited"] == row["original"]) is not row["is_edited"] for row in rows)
    assert all(str(row["rule"]).startswith("not_editable: ") is not row["is_edited"] for row in rows)


def test_a_text_that_the_truth_gives_another_label_is_not_said_to_keep_it(scoring: TextScoring) -> None:
    """Whatever the edits' own loop believed: a proof that refuses everything leaves the original, and that fails it too."""
    shifts = TextShifts(scoring, AttackSettings(names=("typos",), severities=(1,)), KEYWORDS, OWN, keeps_label=lambda label, text: False)
    (row,) = rows_of(plan_of(shifts), [("set an alarm", 0)])
    assert (row["is_edited"], row["rule"], row["keeps_label"]) == (False, "not_editable: every edit tried changes the label", False)
