"""Do all adapters meet one and the same attacked text, and does each answer what the model answers to that text alone?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from safetensors.torch import save_file

from lake.identity import rng
from lake.rows import Identity
from models.classifier import new_classifier
from models.scored_adapter import ScoredAdapter
from models.text_backbone import resolve_text_backbone
from models.text_scoring import TextScoring
from ood.attack_settings import AttackSettings
from ood.attacks import ATTACKS, Attack, attack
from ood.keywords import find_keywords
from ood.score import Exposure, expose
from ood.text_shifts import TextShifts
from tests.text_folders import save_family

TEXTS = ("i lost my card", "set an alarm for seven", "which alarm is set")
LABELS = ("card", "set_alarm", "query_alarm")
TRAINING = ("my card was lost", "please block my card", "set an alarm", "set the alarm", "which alarm", "which alarm rings")
KEYWORDS = find_keywords(TRAINING, np.array([0, 0, 1, 1, 2, 2]), LABELS)
SETTINGS = AttackSettings(names=("keyword_addition", "typos"), seed=5)
CELLS = (("none", 0), ("keyword_addition", 2), ("typos", 3))
ADAPTER_IDS = ("a", "b")
VARIANTS = tuple({"adapter_id": name, "corruption": c, "severity": s} for name in ADAPTER_IDS for c, s in CELLS)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Exposure:
    folder = tmp_path_factory.mktemp("text-shifts")
    scoring = TextScoring(resolve_text_backbone(str(save_family(folder / "bert", "bert"))), "float32", 4, (16, 32))
    adapters = []
    for seed, name in enumerate(ADAPTER_IDS):
        state = new_classifier(scoring.backbone, list(LABELS), seed=seed).requires_grad_(False).state_dict()
        path = folder / f"{name}.safetensors"
        save_file({key: 20 * tensor.clone() for key, tensor in state.items() if key.startswith("classifier.")}, path)
        adapters.append(ScoredAdapter(name, str(path), (0, 1, 2)))
    return Exposure(scoring, tuple(adapters), TextShifts(scoring, SETTINGS, KEYWORDS, LABELS), Identity("d", "s", VARIANTS))


def rows_of(plan: Exposure, texts: tuple[str, ...], labels: list[int]) -> list[dict[str, object]]:
    columns = {"example_id": [f"e{TEXTS.index(text)}" for text in texts], "label_id": labels, "text": list(texts)}
    given = pa.RecordBatch.from_pydict({**columns, "todo": [list(range(len(VARIANTS)))] * len(texts)})
    return [row for made in expose(iter([given]), plan) for row in made.to_pylist()]


def test_each_row_is_the_models_answer_to_the_text_under_its_attack_alone(plan: Exposure) -> None:
    rows = rows_of(plan, TEXTS, [0, 1, 2])
    assert len(rows) == len(TEXTS) * len(VARIANTS)
    scoring = plan.scoring
    for row in rows:
        place, name, severity = int(str(row["example_id"])[1:]), str(row["corruption"]), int(str(row["severity"]))
        text = TEXTS[place]
        if severity:
            text = attack(text, name, LABELS[place], severity, rng(5, row["example_id"], name, severity), KEYWORDS).edited
            assert text != TEXTS[place]
        adapter = plan.adapters[ADAPTER_IDS.index(str(row["adapter_id"]))]
        expected = int(scoring.logits(adapter, scoring.prepare([text]))[0].argmax())
        assert (row["predicted_id"], row["is_correct"]) == (expected, expected == place)
    assert {row["parameter"] for row in rows if row["corruption"] == "keyword_addition"} == {2.0}
    assert {row["parameter"] for row in rows if row["corruption"] == "none"} == {None}


def test_neighbours_and_order_change_nothing(plan: Exposure) -> None:
    def key(row: dict[str, object]) -> tuple[str, ...]:
        return tuple(str(row[name]) for name in ("example_id", "adapter_id", "corruption", "severity"))

    together = sorted(rows_of(plan, TEXTS, [0, 1, 2]), key=key)
    alone = [row for place, text in enumerate(TEXTS) for row in rows_of(plan, (text,), [place])]
    assert sorted(alone, key=key) == together
    assert sorted(rows_of(plan, TEXTS[::-1], [2, 1, 0]), key=key) == together


@pytest.mark.parametrize("record", ATTACKS, ids=lambda record: record.name)
@pytest.mark.parametrize("text", ["which alarm is set " * 60, "set my alarm " + "x" * 40 + " set alarm", "set the alarm for seven now"])
def test_every_edit_is_one_that_the_model_reads(plan: Exposure, record: Attack, text: str) -> None:
    """The longest bucket is 32 tokens: of 240 words it reads 15 or so. An edit behind them would be answered as the clean text is."""
    shifts, scoring = plan.shifts, plan.scoring
    assert isinstance(shifts, TextShifts)
    clean, n_edited = scoring.prepare([text]), 0
    for severity in record.severities:
        for key in range(20):
            found = shifts.attacked(text, "set_alarm", f"e{key}", record.name, severity)
            assert found.original == text and found.is_edited == (found.edited != text)
            if found.is_edited:
                n_edited += 1
                seen = scoring.prepare([found.edited])
                if record.name != "keyword_deletion":  # whose positions are those of words that were
                    assert max(found.positions) < seen.included.sum() - seen.truncated.sum()
                # what lies behind the words that the model reads whole is as it was
                assert found.edited.endswith(text[clean.spans[0, int(clean.included.sum() - clean.truncated.sum()) - 1, 1] :])
                visible = scoring.words(clean), scoring.words(seen)
                assert visible[0] != visible[1]
    assert n_edited > 0


def test_what_lies_behind_the_limit_is_neither_a_reason_to_edit_nor_edited(plan: Exposure) -> None:
    shifts = plan.shifts
    assert isinstance(shifts, TextShifts)
    text = "which " * 40 + "set alarm"
    left = shifts.attacked(text, "set_alarm", "e", "keyword_deletion", 1)
    assert (left.edited, left.rule) == (text, "not_editable: no keyword of 'set_alarm' in the text, as far as the model reads")
    uncut = shifts.attacked("set " + "qqqq " * 80, "set_alarm", "e", "typos", 1)
    # 4 tokens a word: 1 + 7 words are inside 30, the last of them not whole; 10 % of 7 words, rounded up, is 1
    assert uncut.is_edited and len(uncut.positions) == 1
    nothing = shifts.attacked("q" * 90 + " set", "set_alarm", "e", "typos", 1)  # the first word is cut: none is read whole
    assert (nothing.edited, nothing.rule) == (nothing.original, "not_editable: no word whose edit the model reads")


HOSTILE = {
    "one word": "alarm",
    "punctuation": "?! ... \u2014",
    "emoji": "\U0001f44d\U0001f3fd \U0001f469\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f",
    "right to left": "\u05e9\u05dc\u05d5\u05dd alarm \u202b\u0639\u0644\u064a\u0643\u0645\u202c",
    "10,000 words": "set an alarm for " * 2_500,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_text_that_is_hardly_one_is_edited_as_far_as_it_is_read_or_says_why_not(plan: Exposure, text: str) -> None:
    shifts = plan.shifts
    assert isinstance(shifts, TextShifts)
    for record in ATTACKS:
        found = shifts.attacked(text, "set_alarm", "e", record.name, 3)
        assert found.is_edited == (found.edited != text) == (not found.rule.startswith("not_editable: ")), record.name
        assert (
            not found.is_edited or found.edited[len(found.edited) - len(text) + 500 :] == text[500:]
        )  # 32 tokens are within 500 characters
        assert np.isfinite(plan.scoring.logits(plan.adapters[0], plan.scoring.prepare([found.edited]))).all()


def test_a_proof_sees_the_whole_text_also_what_lies_behind_the_limit(plan: Exposure) -> None:
    shifts = plan.shifts
    assert isinstance(shifts, TextShifts)
    seen: list[str] = []
    asking = TextShifts(shifts.scoring, SETTINGS, KEYWORDS, LABELS, keeps_label=lambda label, text: seen.append(text) or True)
    found = asking.attacked("set an alarm " * 20 + "end.", "set_alarm", "e", "typos", 1)
    assert seen[-1] == found.edited and all(text.endswith(" end.") for text in seen)


def test_an_edit_that_would_change_the_label_is_drawn_again_where_the_truth_is_known(plan: Exposure) -> None:
    """With a proof that refuses every edit, nothing is edited, and the audit says so; the model then answers the clean text."""
    shifts = plan.shifts
    assert isinstance(shifts, TextShifts)
    never = TextShifts(shifts.scoring, SETTINGS, KEYWORDS, LABELS, keeps_label=lambda label, text: False)
    attacked = never.attacked(TEXTS[0], "card", "e0", "keyword_addition", 1)
    assert not attacked.is_edited and attacked.edited == TEXTS[0] and attacked.rule.startswith("not_editable")
    seen: list[str] = []
    asking = TextShifts(shifts.scoring, SETTINGS, KEYWORDS, LABELS, keeps_label=lambda label, text: seen.append(label) or True)
    assert asking.attacked(TEXTS[0], "card", "e0", "keyword_addition", 1).is_edited
    assert set(seen) == {"card"}
