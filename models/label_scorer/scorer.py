"""How does a frozen language model give p of a label under many masks, reading nothing twice?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64

from models.errors import ArtifactError, RejectedInput
from models.label_scorer.artifact import LabelModel
from models.label_scorer.language_model import LanguageModel, load_language_model
from models.label_scorer.prefix import Prefix, common_length
from models.label_scorer.prompt import Prompts
from models.label_scorer.settings import LabelScorerSettings, Template
from models.label_scorer.tree import LabelTree, Pack, Path, label_tree, packs
from models.text_scoring import TEXT_LIBRARIES

# Part of the settings: raise it with any change of arithmetic, of token ids, or of which tokens are read together.
ENGINE = 2


@dataclass(frozen=True)
class Forwards:
    """What has to be read for one text: trees behind the first `length` tokens of the prefix, and which path each mask is.

    Paths of one text never share a tree with another text's, so its numbers do not depend on others.
    """

    length: int
    packs: tuple[Pack, ...]
    path_of_mask: Int64[np.ndarray, " masks"]

    @property
    def n_tokens(self) -> int:
        """Tokens read, padding included, the prefix not."""
        return sum(len(pack.tokens) for pack in self.packs)


@dataclass(frozen=True)
class CausalLabelScorer:
    """The LabelScorer of a causal language model: one label space, one prompt. Not for two threads at once.

    The prompt's shared beginning is read once, at construction; a text's masks are laid out as token trees (models/label_scorer/tree.py)
    and read in forwards of at most `pack_tokens` tokens, equal masked texts once.
    """

    language_model: LanguageModel
    prompts: Prompts
    choices: LabelScorerSettings
    label_ids: tuple[Path, ...]
    prefix: Prefix

    @property
    def labels(self) -> tuple[str, ...]:
        """The label space, in the order in which the prompt names it."""
        return self.prompts.labels

    @property
    def settings(self) -> Mapping[str, Any]:
        """Everything that decides the numbers, as plain JSON values, to be hashed into settings_id."""
        return {
            "engine": ENGINE,
            "libraries": {name: version(name) for name in TEXT_LIBRARIES},
            "model": self.language_model.source.sha256,
            "template": self.prompts.template,
            "labels": list(self.labels),
            **self.choices.model_dump(mode="json"),
        }

    def probabilities(
        self, texts: Sequence[Sequence[str]], true_labels: Sequence[str], keep: Sequence[Bool[np.ndarray, "masks words"]]
    ) -> Float64[np.ndarray, "examples masks"]:
        """See LabelScorer."""
        self._check(texts, true_labels, keep)
        whole = self.choices.label_probability == "closed_set"
        rows = [self._row(words, label, masks, whole) for words, label, masks in zip(texts, true_labels, keep, strict=True)]
        return np.stack(rows) if rows else np.empty((0, 0))

    def log_likelihoods(self, words: Sequence[str], keep: Bool[np.ndarray, "masks words"]) -> Float64[np.ndarray, "masks labels"]:
        """Teacher-forced sum of the token log-probabilities of every label, in nats (at most 0), under each mask of one text."""
        return self._sums(words, keep, self.label_ids)

    def forwards(self, words: Sequence[str], keep: Bool[np.ndarray, "masks words"], labels: LabelTree) -> Forwards:
        """The plan for one text. Raises RejectedInput `too_large` when prompt and label together are longer than the model reads."""
        masked = [self.prompts.masked(words, mask) for mask in keep]
        distinct = sorted(set(masked))
        ids = dict(zip(distinct, self.prompts.token_ids(distinct), strict=True))
        paths = sorted(set(ids.values()))
        longest = max(map(len, paths)) + int(labels.depths.max(initial=0))
        if longest > self.language_model.source.max_tokens:
            raise RejectedInput(
                "too_large",
                f"prompt and label must be at most {self.language_model.source.max_tokens:,} tokens for "
                f"{self.language_model.source.name}, found {longest:,} for a text of {len(words):,} words. Shorten the text.",
            )
        length = common_length(self.prefix.tokens, paths)
        place = {path: number for number, path in enumerate(paths)}
        trees = packs([path[length:] for path in paths], labels, self.choices.pack_tokens, self.choices.pack_step)
        return Forwards(length, tuple(trees), np.array([place[ids[text]] for text in masked], dtype=np.int64))

    def _row(self, words: Sequence[str], label: str, keep: Bool[np.ndarray, "masks words"], whole: bool) -> Float64[np.ndarray, " masks"]:
        number = self.labels.index(label)
        if whole:
            sums = self._sums(words, keep, self.label_ids)
            with np.errstate(invalid="ignore"):  # what is not known stays NaN
                logs = np.minimum(sums[:, number] - np.logaddexp.reduce(sums, axis=1), 0.0)
        else:
            logs = self._sums(words, keep, (self.label_ids[number],))[:, 0]
        shares: Float64[np.ndarray, " masks"] = np.exp(logs)
        return shares

    def _sums(
        self, words: Sequence[str], keep: Bool[np.ndarray, "masks words"], labels: tuple[Path, ...]
    ) -> Float64[np.ndarray, "masks labels"]:
        tree = label_tree(labels)
        plan = self.forwards(words, keep, tree)
        scores = np.concatenate(list(self._edge_scores(plan, tree)))
        sums: Float64[np.ndarray, "masks labels"] = tree.sums(scores)[plan.path_of_mask]
        return sums

    def _edge_scores(self, plan: Forwards, tree: LabelTree) -> Iterator[Float64[np.ndarray, "paths edges"]]:
        for pack in plan.packs:
            yield log_shares(self.language_model.logits(self.prefix, plan.length, pack), tree).cpu().numpy()

    def _check(self, texts: Sequence[Sequence[str]], true_labels: Sequence[str], keep: Sequence[Bool[np.ndarray, "masks words"]]) -> None:
        if not len(texts) == len(true_labels) == len(keep):
            raise ValueError(f"texts, labels and masks must be as many, found {len(texts)}, {len(true_labels)} and {len(keep)}.")
        counts = {len(masks) for masks in keep}
        if len(counts) > 1 or 0 in counts:
            raise ValueError(f"every text must have the same number of masks, at least one; found {sorted(counts)}.")
        for words, masks in zip(texts, keep, strict=True):
            if not words:
                raise RejectedInput("empty_text", "a text must have at least one word, found none.")
            if masks.dtype != np.bool_ or masks.shape[1:] != (len(words),):
                raise ValueError(f"masks must be bool[masks, {len(words)}], one place per word; found {masks.dtype}{list(masks.shape)}.")
        if unknown := sorted(set(true_labels) - set(self.labels)):
            raise ArtifactError(
                "label_unknown",
                f"a true label must be one of the {len(self.labels)} in the scorer's label space, found {unknown[0]!r}. "
                "Make the scorer over all labels of the data.",
            )


def log_shares(logits: Float[torch.Tensor, "paths nodes vocabulary"], tree: LabelTree) -> Float64[torch.Tensor, "paths edges"]:
    """Log-probability of each edge's token at the edge's node, in nats, at most 0; NaN where a logit of the node is NaN or infinite.

    The largest logit is taken off first and the rest is summed in float64: near p = 1, where the priors' z = -1 / log p is large,
    float32's own would keep hardly a digit of log p.
    """
    nodes, tokens = torch.from_numpy(tree.edges).to(logits.device).unbind(1)
    logits = logits.float()
    least, largest = logits.aminmax(dim=-1, keepdim=True)  # NaN where a logit is
    total = (logits - largest).exp().sum(dim=-1, dtype=torch.float64)
    known = (least.isfinite() & largest.isfinite()).squeeze(-1)
    total = total.masked_fill(~known, torch.nan)  # of -inf too: exp would make it a share of 0, and a wrong number of the others
    shares = (logits[:, nodes, tokens] - largest[:, nodes, 0]).double() - total.log()[:, nodes]
    return shares.clamp(max=0.0)


def label_scorer(
    language_model: LanguageModel, labels: Sequence[str], settings: LabelScorerSettings, template: Template
) -> CausalLabelScorer:
    """Bind a loaded model to a label space and a prompt; what its prompts share is read here. Raises ArtifactError `label_mismatch`."""
    prompts = Prompts(language_model.tokenizer, settings.prompt, template, tuple(labels))
    if not labels or len(set(labels)) != len(labels):
        raise ArtifactError("label_mismatch", f"labels must be distinct and at least one, found {list(labels)[:4]}.")
    # A guess at what prompts share: each text's own prompts are compared with it before it is used.
    (guess,) = prompts.token_ids([""])
    return CausalLabelScorer(language_model, prompts, settings, prompts.label_ids(), language_model.prefix(guess))


@lru_cache(maxsize=2)
def load_label_scorer(source: LabelModel, labels: tuple[str, ...], settings: LabelScorerSettings, template: Template) -> CausalLabelScorer:
    """The same from a resolved model: one scorer per process, content, label space, settings and template, kept for later calls."""
    return label_scorer(load_language_model(source, settings.dtype), labels, settings, template)
