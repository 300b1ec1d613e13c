"""A user's folder for the tests of texts: a CSV with bad records, a small backbone, and adapters that peft saved, one of them usable."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from models.classifier import new_classifier
from models.text_backbone import resolve_text_backbone
from tests.adapter_folders import save_peft
from tests.text_folders import SENTENCES, save_text

LABELS = ("alarm", "card")
BAD = {"empty_text": ("", "card"), "label_missing": ("a text without a label", "")}
# 40 good texts, two bad records, one text under both labels, one that stands twice
N_GOOD, N_PLACES = 40, 45


def write_place(folder: Path) -> Path:
    """`data/all.csv`, `backbone/`, and `zoo/` with adapters good, strangers, pickled, whose base is `backbone`."""
    lines = ["text,label"]
    lines += [f'"{SENTENCES[n % len(SENTENCES)]} {n}",{LABELS[n % 2]}' for n in range(N_GOOD)]
    lines += [f'"{text}",{label}' for text, label in BAD.values()]
    lines += ["which is it,card", "which is it,alarm", lines[1]]
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "all.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    save_text(folder / "backbone", "roberta")
    good = save_peft(_adapted(folder / "backbone"), folder / "zoo" / "good", LABELS)
    for name in ("strangers", "pickled"):
        shutil.copytree(good, folder / "zoo" / name)
    (folder / "zoo" / "strangers" / "config.json").write_text(json.dumps({"id2label": {"0": "cat", "1": "card"}}))
    weights = folder / "zoo" / "pickled" / "adapter_model.safetensors"
    weights.rename(weights.with_name("adapter_model.bin"))
    return folder


def _adapted(backbone: Path) -> Any:
    from peft import LoraConfig, get_peft_model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        classifier = new_classifier(resolve_text_backbone(str(backbone)), LABELS)
        classifier.name_or_path = str(backbone)
        model = get_peft_model(classifier, LoraConfig(r=4, target_modules=["query", "value"], modules_to_save=["classifier"]))
        with torch.no_grad():
            for parameter in (p for p in model.parameters() if p.requires_grad):
                parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()
