"""How is a causal language model loaded, frozen, and asked for the logits of a token tree?"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from models.dtype import resolve_device, torch_dtype
from models.errors import ArtifactError
from models.label_scorer.artifact import LabelModel
from models.label_scorer.prefix import Prefix, read_prefix
from models.label_scorer.tree import Pack, label_tree, packs

ASKED_OF_FORWARD = ("attention_mask", "position_ids", "past_key_values", "logits_to_keep")
ADVICE = "Use a decoder such as Llama, Mistral or Qwen2."
# Largest difference of a logit between the tree and a plain call, as a share of the largest logit: float32 differs by 1e-6, bfloat16 by
# 1e-2; a model that ignores the mask or the positions given differs by tenths.
AGREEMENT = {"float32": 1e-4, "bfloat16": 0.1}


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model in inference with its tokenizer. Not for two threads at once."""

    source: LabelModel
    model: Any
    tokenizer: Any
    dtype: str
    device: str

    @torch.inference_mode()
    def prefix(self, tokens: tuple[int, ...]) -> Prefix:
        """Read what prompts share, once."""
        return read_prefix(self.model, tokens)

    @torch.inference_mode()
    def logits(self, prefix: Prefix, length: int, pack: Pack) -> Float[torch.Tensor, "paths nodes vocabulary"]:
        """Next-token logits at every asked place of a tree behind the first `length` tokens of the prefix, in the model's type."""
        size = len(pack.tokens)
        hidden = torch.finfo(torch_dtype(self.dtype)).min  # not -inf: a block in which a token sees nothing must stay finite
        mask = torch.zeros(size, length + size, dtype=torch_dtype(self.dtype), device=self.device)
        mask[:, length:].masked_fill_(torch.from_numpy(~pack.visible).to(self.device), hidden)
        answer = self.model(
            input_ids=torch.from_numpy(pack.tokens[None]).to(self.device),
            attention_mask=mask[None, None],
            position_ids=torch.from_numpy(pack.depths[None] + length).to(self.device),
            past_key_values=prefix.cache(length),
            use_cache=True,
            logits_to_keep=torch.from_numpy(pack.asked.reshape(-1)).to(self.device),
        )
        logits: Float[torch.Tensor, "paths nodes vocabulary"] = answer.logits[0].unflatten(0, pack.asked.shape)
        return logits


@lru_cache(maxsize=1)
def load_language_model(source: LabelModel, dtype: str) -> LanguageModel:
    """The frozen model (eval, SDPA, no gradients) in `float32` or `bfloat16`, loaded once per process and content.

    Nothing is imported from the folder and only safetensors are read. Raises ArtifactError: `bad_config` (no causal language model, no
    usable tokenizer, or one that does not honour masks and positions: the tree is compared with plain calls on eight tokens),
    `tensor_mismatch` (tensors missing, unexpected or of other shapes), `nonfinite`.
    """
    model, tokenizer = _opened(source, dtype)
    loaded = LanguageModel(source, model, tokenizer, dtype, resolve_device())
    _check_agreement(loaded)
    return loaded


def _opened(source: LabelModel, dtype: str) -> tuple[Any, Any]:
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a bar on a stream not ours
    try:
        if (stored := source.folder / "tokenizer.json").is_file():
            json.loads(stored.read_text(encoding="utf-8"))  # the library's own reader raises a bare Exception
        tokenizer = AutoTokenizer.from_pretrained(source.folder, local_files_only=True, trust_remote_code=False)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            source.folder,
            dtype=torch_dtype(dtype),
            attn_implementation="sdpa",
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except RuntimeError as error:  # how transformers reports shapes that do not fit
        raise ArtifactError("tensor_mismatch", f"{source.folder}: weights must fit config.json: {error}") from error
    except (StrictDataclassError, ImportError, OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactError("bad_config", f"{source.folder} must be a causal language model with its tokenizer: {error}") from error
    finally:
        logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # transformers has no types here
    model, info = loaded
    _check_fit(source, info)
    _check_forward(source, model)
    return model.to(resolve_device()).eval().requires_grad_(False), tokenizer


def _check_fit(source: LabelModel, info: dict[str, Any]) -> None:
    found = {kind: sorted(map(str, info.get(kind) or ())) for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    if any(found.values()):
        said = "; ".join(f"{kind.removesuffix('_keys')} {len(names)}: {names[:2]}" for kind, names in found.items() if names)
        raise ArtifactError(
            "tensor_mismatch", f"{source.folder}: weights must fit config.json; {said}. Use weights and config.json of one model."
        )


def _check_forward(source: LabelModel, model: Any) -> None:
    missing = [name for name in ASKED_OF_FORWARD if name not in inspect.signature(model.forward).parameters]
    if missing:
        found = f"{source.model_type} takes no {', '.join(missing)}"
        raise ArtifactError("bad_config", f"a label scorer's forward must take {', '.join(ASKED_OF_FORWARD)}; {found}. {ADVICE}")


def _check_agreement(loaded: LanguageModel) -> None:
    """Two texts and two labels behind two shared tokens: the tree's logits must be those of plain calls."""
    shared, texts, labels = (1, 2), ((3, 4), (3, 5)), ((6, 7, 8), (6, 9))
    pack = next(packs(texts, label_tree(labels), limit=64, step=16))
    try:
        tree = loaded.logits(loaded.prefix(shared), len(shared), pack).float().cpu().numpy()
    except (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        found = f"{loaded.source.model_type} failed ({error})"
        raise ArtifactError("bad_config", f"a label scorer must read a token tree behind a prefix; {found}. {ADVICE}") from error
    # nodes of the label tree in order: (6,) and (6, 7); node 0 of `tree` is the text's last token
    ends = ((), (6,), (6, 7))
    plain = np.stack([[_plain(loaded, (*shared, *text, *end)) for end in ends] for text in texts])
    if not (np.isfinite(tree).all() and np.isfinite(plain).all()):
        raise ArtifactError(
            "nonfinite", f"{loaded.source.folder}: logits must be finite in {loaded.dtype}, found NaN or infinity. Try float32."
        )
    worst, allowed = float(np.abs(tree - plain).max()), AGREEMENT[loaded.dtype] * float(np.abs(plain).max())
    if worst > allowed:
        raise ArtifactError(
            "bad_config",
            f"{loaded.source.model_type}: logits of a token tree must be those of plain calls within {allowed:.2g}, found {worst:.2g}. "
            f"This architecture ignores masks or positions. {ADVICE}",
        )


@torch.inference_mode()
def _plain(loaded: LanguageModel, tokens: tuple[int, ...]) -> Float[np.ndarray, " vocabulary"]:
    logits: Float[np.ndarray, " vocabulary"] = (
        loaded.model(input_ids=torch.tensor([tokens], device=loaded.device)).logits[0, -1].float().cpu().numpy()
    )
    return logits
