"""A tiny text backbone and sets of texts for tests of training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from models.adapter_labels import label_order
from models.adapters import read_adapter
from models.backbone_record import TextBackbone
from models.merge import write_merged
from models.scored_adapter import ScoredAdapter
from models.text_backbone import resolve_text_backbone
from models.text_recipe import TextRecipe
from models.text_scoring import TextScoring
from models.text_training import train_text
from models.text_training_data import TextTrainingSet
from models.trained_adapter import Trained
from models.words import word_spans
from tests.text_folders import save_family

LABELS = ("card", "alarm", "music")
DECIDING = ("card", "alarm", "song")  # the word of each label
FILLERS = ("my", "the", "please", "now", "lost", "set", "for", "what")


def tiny(folder: Path, family: str = "roberta") -> TextBackbone:
    """Two layers of width 32 with random weights; no dropout of its own."""
    return resolve_text_backbone(str(save_family(folder, family, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)))


def simple(n: int, start: int = 0, priors: bool = False) -> TextTrainingSet:
    """Texts of four to six words whose label is the one that decides; with `priors`, the truth about which it is."""
    rng = np.random.default_rng(start)
    label_ids = np.arange(start, start + n, dtype=np.int64) % len(LABELS)
    found, truth = [], {}
    for i, label in enumerate(label_ids.tolist()):
        words = list(rng.choice(FILLERS, int(rng.integers(3, 6))))
        at = int(rng.integers(len(words) + 1))
        found.append(" ".join([*words[:at], DECIDING[label], *words[at:]]))
        truth[f"id{start + i:04d}"] = one_word(found[-1], at)
    texts = TextTrainingSet(tuple(found), label_ids, tuple(truth))
    return texts.with_priors(truth) if priors else texts


def one_word(text: str, at: int) -> np.ndarray:
    prior = np.zeros(len(word_spans(text)), dtype=np.float32)
    prior[at] = 1.0
    return prior


def recipe(**changes: Any) -> TextRecipe:
    settings = {"name": "tiny", "rank": 4, "epochs": 3, "batch_size": 8, "learning_rate": 5e-3, "seed": 1}
    return TextRecipe.model_validate({**settings, **changes})


def hybrid(**changes: Any) -> TextRecipe:
    priors = {"sources": ["cap"], "ig_steps": 2} | changes.pop("priors", {})
    return recipe(**{"kind": "cap_hybrid", "use_dora": False, "priors": priors, **changes})


def trained(backbone: TextBackbone, folder: Path, how: TextRecipe, train_set: TextTrainingSet | None = None, **more: Any) -> Trained:
    own = simple(24, priors=how.priors is not None) if train_set is None else train_set
    return train_text(how, backbone, LABELS, own, simple(12, 100), folder, **more)


HOW: dict[str, Callable[..., TextRecipe]] = {"ce": recipe, "cap_hybrid": hybrid}
KINDS = [("ce", "lora"), ("cap_hybrid", "lora"), ("ce", "full"), ("cap_hybrid", "full")]


def scored(folder: Path, backbone: TextBackbone, merged: Path) -> tuple[Any, ScoredAdapter, TextScoring]:
    adapter = read_adapter(folder, folder.parent, backbone, LABELS)
    ready = ScoredAdapter(adapter.adapter_id, str(write_merged(adapter, backbone, "float32", merged)), label_order(adapter.labels, LABELS))
    return adapter, ready, TextScoring(backbone, "float32", 8)
