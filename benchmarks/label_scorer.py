"""How many times faster is p of a label under 100 masks than the naive way: whole prompt, one mask, one label, one plain call at a time?

Banking77's prompt names 77 labels. The naive way reads it 100 times for `sequence` and 7,700 times for `closed_set`; of these calls a
sample is made, spread over masks and labels, and the rest is extrapolated. Both ways use the same model in float32, in turns.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool

from benchmarks import label_material, label_twin
from benchmarks.label_material import FULL, TINY, Example
from benchmarks.row import Row
from benchmarks.timing import ratio, seconds_of, spread
from models.label_scorer.artifact import resolve_label_model
from models.label_scorer.language_model import load_language_model
from models.label_scorer.scorer import CausalLabelScorer, label_scorer
from models.label_scorer.settings import LabelPrompt, LabelScorerSettings
from models.label_scorer.tree import label_tree

AIMS = {"closed_set": 20.0, "sequence": 8.0}
TOLERANCE = 1e-4
Masks = Bool[np.ndarray, "masks words"]
Call = tuple[int, int]  # (mask, label) of one naive call


@dataclass(frozen=True)
class Size:
    """`calls`: naive calls per round for `closed_set`; for `sequence` every mask is called."""

    name: str
    shape: dict[str, int]
    masks: int
    rounds: int
    calls: int


SIZES = {False: Size("label-llama-full", FULL, 100, 2, 105), True: Size("label-llama-tiny", TINY, 10, 2, 4)}


@dataclass(frozen=True)
class Naive:
    """The twin bound to one scorer's model and prompt."""

    scorer: CausalLabelScorer

    def logits(self, words: tuple[str, ...], keep: Masks, calls: Iterable[Call]) -> list[torch.Tensor]:
        """Logits float32 [tokens of the label, vocabulary] of each call."""
        loaded, prompt = self.scorer.language_model, LabelPrompt()
        fields = {"instructions": prompt.instructions, "labels": ", ".join(self.scorer.labels)}
        found = []
        for mask, label in calls:
            text = label_twin.prompt_text(prompt.labelled, fields, words, keep[mask].tolist(), prompt.placeholder, prompt.word_separator)
            found.append(label_twin.token_logits(loaded.model, loaded.tokenizer, text, self.scorer.labels[label])[0])
        return found


def measure(folder: Path, quick: bool) -> list[Row]:
    """Times the naive way for both readings of p, and the largest difference of a logit."""
    size = SIZES[quick]
    kind, labels, examples = label_material.banking(label_material.BANKING77)
    place = label_material.llama_folder(folder / f"{size.name}-{kind.lower()}", size.shape, labels, examples)
    loaded = load_language_model(resolve_label_model(str(place)), "float32")
    scorers = {
        name: label_scorer(loaded, labels, LabelScorerSettings.model_validate({"label_probability": name}), "labelled") for name in AIMS
    }
    texts = label_material.typical(examples, size.rounds)
    seconds: dict[str, list[float]] = {name: [] for name in (*AIMS, *(f"naive {name}" for name in AIMS))}
    for number, example in enumerate(texts):
        _time(scorers, example, number, size, seconds)
    facts = _facts(scorers["closed_set"], texts[0], size, kind)
    worst = _largest_difference(scorers["closed_set"], texts[0], size)
    return [*(_row(name, seconds, size, facts, worst) for name in AIMS), _agreement(worst, facts)]


def _time(scorers: dict[str, CausalLabelScorer], example: Example, number: int, size: Size, seconds: dict[str, list[float]]) -> None:
    """One round: every way of scoring one text, in turns; naive seconds are those of all its calls, extrapolated for `closed_set`."""
    words, label = example
    keep = label_twin.masks(size.masks, len(words), number)
    labels = scorers["closed_set"].labels
    calls = {"closed_set": _calls(size, len(labels), number), "sequence": [(mask, labels.index(label)) for mask in range(size.masks)]}
    of_all = {"closed_set": size.masks * len(labels), "sequence": size.masks}
    naive = Naive(scorers["closed_set"])
    naive.logits(words, keep, calls["sequence"][:1])  # first calls pay for what later ones find ready
    for name, scorer in scorers.items():
        spent = seconds_of(partial(naive.logits, words, keep, calls[name]))
        seconds[f"naive {name}"].append(spent * of_all[name] / len(calls[name]))
        seconds[name].append(seconds_of(partial(scorer.probabilities, [words], [label], [keep])))


def _calls(size: Size, n_labels: int, number: int) -> list[Call]:
    """Naive calls spread over masks and labels, without repetition."""
    drawn = np.random.default_rng((1, number)).choice(size.masks * n_labels, size.calls, replace=False)
    return [(int(call) // n_labels, int(call) % n_labels) for call in drawn]


def _largest_difference(scorer: CausalLabelScorer, example: Example, size: Size) -> tuple[float, float]:
    """(largest |difference| of a logit over the naive calls of the first round, sd of these logits)."""
    words = example[0]
    keep, calls, tree = label_twin.masks(size.masks, len(words), 0), _calls(size, len(scorer.labels), 0), label_tree(scorer.label_ids)
    naive = dict(zip(calls, Naive(scorer).logits(words, keep, calls), strict=True))
    plan = scorer.forwards(words, keep, tree)
    first, worst = 0, 0.0
    for pack in plan.packs:
        logits = scorer.language_model.logits(scorer.prefix, plan.length, pack)
        for (mask, label), expected in naive.items():
            path = int(plan.path_of_mask[mask]) - first
            if 0 <= path < len(pack.asked):
                own = logits[path, tree.edges[list(tree.label_edges[label]), 0]].cpu()
                worst = max(worst, float((own - expected).abs().max()))
        first += len(pack.asked)
    return worst, float(torch.cat(list(naive.values())).std())


def _facts(scorer: CausalLabelScorer, example: Example, size: Size, kind: str) -> dict[str, dict[str, float | int | str]]:
    """Per reading of p: what was read, for people and machines."""
    words, label = example
    keep = label_twin.masks(size.masks, len(words), 0)
    prompt = len(scorer.prompts.token_ids([" ".join(words)])[0])
    common: dict[str, float | int | str] = {
        "parameters": sum(parameter.numel() for parameter in scorer.language_model.model.parameters()),
        "texts": kind,
        "labels": len(scorer.labels),
        "masks": size.masks,
        "words": len(words),
        "prompt_tokens": prompt,
        "threads": torch.get_num_threads(),
    }
    facts = {}
    for name, answers in (("closed_set", scorer.label_ids), ("sequence", (scorer.label_ids[scorer.labels.index(label)],))):
        plan = scorer.forwards(words, keep, label_tree(answers))
        naive = size.masks * sum(prompt + len(answer) for answer in answers)
        read = {"shared_tokens": plan.length, "forwards": len(plan.packs), "tokens": plan.n_tokens, "naive_tokens": naive}
        facts[name] = common | read | {"token_ratio": round(naive / plan.n_tokens, 1)}
    return facts


def _row(
    name: str, seconds: dict[str, list[float]], size: Size, facts: dict[str, dict[str, float | int | str]], worst: tuple[float, float]
) -> Row:
    value = ratio(seconds[f"naive {name}"], seconds[name])
    calls = size.rounds * (size.calls if name == "closed_set" else size.masks)
    per_text = size.masks * (int(facts[name]["labels"]) if name == "closed_set" else 1)
    extrapolated = f"extrapolated to {size.rounds} x {per_text:,}" if calls < size.rounds * per_text else "all of them"
    return Row(
        what=f"label scorer, {name}, Llama of {int(facts[name]['parameters']) / 1e6:.3g} M parameters, float32",
        figure="times the naive way (whole prompt, one mask, one label at a time)",
        value=round(value, 2),
        unit="x",
        aim=f"≥ {AIMS[name]:g}",
        met=value >= AIMS[name],
        details={
            "seconds_per_text": round(statistics.median(seconds[name]), 3),
            "naive_seconds_per_text": round(statistics.median(seconds[f"naive {name}"]), 1),
            "naive_calls": f"{calls} real, {extrapolated}",
            "largest_logit_difference": float(f"{worst[0]:.2g}"),
            "spread": round(spread(seconds[name]), 3),
            **facts[name],
        },
        limited_by=(
            f"tokens that differ between masks and labels: the naive way reads {facts[name]['token_ratio']} times as many, but in longer "
            "rows, which multiply and attend faster per token than trees behind a mask"
        ),
    )


def _agreement(worst: tuple[float, float], facts: dict[str, dict[str, float | int | str]]) -> Row:
    return Row(
        what=f"label scorer, Llama of {int(facts['closed_set']['parameters']) / 1e6:.3g} M parameters, float32",
        figure="largest difference of a logit to the naive way's",
        value=worst[0],
        unit="",
        aim=f"≤ {TOLERANCE:g}",
        met=worst[0] <= TOLERANCE,
        details={"sd_of_logits": round(worst[1], 3)},
        limited_by="rounding: sums over keys and products over other shapes are ordered differently",
    )
