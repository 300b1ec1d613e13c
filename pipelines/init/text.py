"""How does a first configuration look in YAML, with the reason of each choice beside it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from models.recipe import Recipe
from models.text_recipe import TextRecipe
from models.training_recipe import TrainingRecipe
from pipelines.init.adapters import Told
from pipelines.init.source import Seen

RANKS = (4, 16, 32)  # METHODS 1: the KI study's three adapters
STUDY = {"pictures": "The three adapters of the KI study", "texts": "Three adapters that differ in rank"}
SHIFTING = {"pictures": "corrupting", "texts": "attacking"}
DOWNLOADED = {
    "pictures": "A hub name that is downloaded once (330 MB); without a network, give a local folder in Hugging Face layout.",
    "texts": "A hub name that is downloaded once (500 MB); without a network, give a local folder in Hugging Face layout (BERT, RoBERTa).",
}
QUESTIONS = {
    "pictures": "# ki: three corruptions at three severities. imagenet_c: fifteen at five. all: both.\ncorruptions: {names: [ki]}\n",
    "texts": "# keyword: edits of the words that mark a class. character: of the spelling. all: both.\nattacks: {names: [all]}\n",
}


@dataclass(frozen=True)
class Draft:
    """Everything a first configuration says. Paths are as they are written; `adapters` None: recipes are trained instead."""

    dataset: str
    root: str
    seen: Seen
    backbone: str
    backbone_is_local: bool
    backbone_given: bool
    adapters: str | None
    told: tuple[Told, ...]

    @property
    def adapters_text(self) -> str:
        usable = sum(not adapter.problem for adapter in self.told)
        return f"{len(RANKS)} adapters to train" if self.adapters is None else f"{usable} of {len(self.told)} adapter folders readable"

    def match(self, adapter: Told) -> str:
        """How an adapter's labels fit the data's, in words."""
        if adapter.labels is None:
            return "says no labels: list them in adapters.labels, in the order of its outputs"
        own, data = set(adapter.labels), set(self.seen.labels)
        if own == data:
            return f"base {adapter.base or 'not named'}, its {len(own)} labels are the data's"
        return f"label_mismatch: lacks {len(data - own)} of the data's {len(data)} labels, has {len(own - data)} others"


def config_text(draft: Draft) -> str:
    """The whole file."""
    parts = (_head(draft), _source(draft), _backbone(draft), _adapters(draft), QUESTIONS[draft.seen.what])
    return "\n".join(parts)


def _head(draft: Draft) -> str:
    seen = draft.seen
    return (
        f"# Written by `assay init`: {seen.n_examples:,} {seen.what} in {len(seen.labels):,} classes. Every key: docs/config.md.\n"
        f"# Paths are relative to this file.\n"
        f"dataset: {_scalar(draft.dataset)}\n"
        f"lake: {_scalar(f'./{draft.dataset}-lake')}\n"
    )


def _source(draft: Draft) -> str:
    keys, what = {"reader": draft.seen.source["reader"], "root": draft.root} | draft.seen.source, draft.seen.what
    outside = ["# outside_labels: of no class. Such texts have a split of their own; no adapter has, or learns, their label."]
    outside = outside if "outside_labels" in keys else []
    if "split_map" in keys:
        lines = [
            "# The source's own splits. Adapters learn from adapter_train, adapter_val chooses their best epoch, and all",
            f"# explaining, {SHIFTING[what]} and forecasting is done on meta, which no adapter has seen.",
        ]
        return "\n".join([*lines, *outside, _block("source", keys)])
    lines = [
        f"# {what.capitalize()} are divided by a hash of their content, so that a {what[:-1]} never moves: adapters learn from",
        "# adapter_train, adapter_val chooses their best epoch, everything else is done on meta.",
    ]
    return "\n".join([*outside, _block("source", keys), *lines, "splits: {adapter_train: 0.5, adapter_val: 0.1, meta: 0.4}", ""])


def _backbone(draft: Draft) -> str:
    if draft.backbone_is_local:
        why = "A local folder in Hugging Face layout."
    elif draft.backbone_given or draft.told:
        why = (
            "As given."
            if draft.backbone_given
            else "What the adapters name as their base; a folder, or a hub name that is downloaded once."
        )
    else:
        why = DOWNLOADED[draft.seen.what]
    return (
        f"# {why}\n"
        f"backbone:\n  name: {_scalar(draft.backbone)}\n"
        "# dtype auto is what this machine computes fast; name it (float32, bfloat16, float16) where machines differ.\n"
        "# batch_size is part of what makes results repeatable: changing it makes new rows.\n"
        "embeddings: {dtype: auto, batch_size: 8}\n"
        "scoring: {dtype: auto, batch_size: 8}\n"
    )


def _adapters(draft: Draft) -> str:
    if draft.adapters is not None:
        lines = ["# Every folder below is tried; one that cannot be used is a row of silver.adapters with its reason."]
        lines += [f"#   {_comment(adapter.name)}: {_comment(adapter.problem or draft.match(adapter))}" for adapter in draft.told]
        if sizes := sorted({int(told.preprocessing["size"]) for told in draft.told if isinstance(told.preprocessing.get("size"), int)}):
            lines.append(f"#   trained at {', '.join(map(str, sizes))} pixels a side; the backbone's preprocessor_config.json decides here")
        lines += ["adapters:", f"  folders: [{_scalar(draft.adapters)}]"]
        if any(adapter.labels is None and not adapter.problem for adapter in draft.told):
            lines.append("  # labels: [first output, second output, ...]   # for the adapters that say none")
        return "\n".join([*lines, ""])
    recipe: TrainingRecipe = (TextRecipe if draft.seen.what == "texts" else Recipe)(name="r4", rank=4)
    lines = [
        f"# {STUDY[draft.seen.what]}: DoRA and rsLoRA, rank {', '.join(map(str, RANKS))}, {recipe.epochs} epochs,",
        f"# batch {recipe.batch_size} x {recipe.accumulation}, learning rate {recipe.learning_rate:g}.",
        "# All of it are defaults: docs/config.md. Trained once, found again by recipe, backbone, data and seed.",
        "adapters:",
        "  recipes:",
        *(f"    - {{name: r{rank}, rank: {rank}}}" for rank in RANKS),
    ]
    if draft.seen.what == "texts":
        lines.append("# Steered by what a language model looks at (priors.scorer says which), without DoRA: docs/config.md, priors.")
        lines.append("#   - {name: cap, rank: 8, use_dora: false, kind: cap_hybrid, priors: {sources: [cap]}}")
    return "\n".join([*lines, ""])


def _block(name: str, keys: dict[str, Any]) -> str:
    return yaml.safe_dump({name: keys}, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)


def _scalar(text: str) -> str:
    """The text as one YAML scalar on one line, quoted where YAML would read something else."""
    return yaml.safe_dump([text], default_flow_style=True, allow_unicode=True, width=1_000_000).strip()[1:-1]


def _comment(text: str) -> str:
    """A text of strangers inside a comment: on one line, or it would end the comment and become configuration."""
    return " ".join(text.split()).encode("unicode_escape").decode()[:300]
