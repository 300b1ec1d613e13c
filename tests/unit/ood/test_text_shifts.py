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
from ood.attacks import attack
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
