"""Which causal language model is this, exactly? Found under a name or in a folder, identified by content, its limits read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from models.errors import ArtifactError
from models.folder import content_sha256, read_config, weight_files
from models.hub import download

HUB_FILES = (
    "config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*",
    "special_tokens_map.json",
    "vocab*",
    "merges.txt",
    "chat_template*",
)
# What decides token ids and the chat template; all of it counts for the identity, byte by byte.
TOKENIZER_FILES = ("tokenizer*", "special_tokens_map.json", "vocab*", "merges.txt", "chat_template*")
ATTENTION = {"full_attention", "sliding_attention"}
NO_LIMIT = 2**31


@dataclass(frozen=True)
class LabelModel:
    """One causal language model on disk. `sha256` is of configuration, weights and tokenizer; the name is only a label."""

    name: str
    folder: Path
    revision: str | None  # commit of a hub model, None for a local folder
    sha256: str
    model_type: str
    max_tokens: int  # longest prompt with label for which the shared prefix is exact


def resolve_label_model(name_or_folder: str, revision: str | None = None) -> LabelModel:
    """The model in a local folder in Hugging Face layout, or under a hub name (downloaded once, then read from the cache).

    Raises ArtifactError: `not_a_file` (neither a folder nor reachable), `pickle`, `bad_safetensors`, `bad_config` (an adapter, no
    tokenizer, layers that are not attention).
    """
    folder = label_model_folder(name_or_folder, revision)
    if (folder / "adapter_config.json").is_file():
        raise ArtifactError("bad_config", f"{folder} must be a whole language model, found an adapter. Merge it into its base first.")
    files = weight_files(folder)
    config, is_local = read_config(folder / "config.json"), folder == Path(name_or_folder).expanduser()
    return LabelModel(
        name=folder.resolve().name if is_local else name_or_folder,
        folder=folder,
        revision=revision if is_local else folder.name,
        sha256=_identity(folder, config, files),
        model_type=str(config.get("model_type")),
        max_tokens=_token_limit(_typed(folder)),
    )


def label_model_folder(name_or_folder: str, revision: str | None = None) -> Path:
    """Where the model lies, downloaded where it must be; nothing of it is read. Raises ArtifactError `not_a_file`."""
    local = Path(name_or_folder).expanduser()
    return local if local.is_dir() else download(name_or_folder, revision, HUB_FILES)


def tokenizer_sha256(folder: Path) -> str:
    """Hex sha256 of the tokenizer's files, by name and content. Raises ArtifactError `bad_config` where there are none."""
    files = sorted({path for pattern in TOKENIZER_FILES for path in folder.glob(pattern) if path.is_file()})
    if not files:
        raise ArtifactError("bad_config", f"{folder} must hold a tokenizer (tokenizer.json), found none. Save it beside the model.")
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _identity(folder: Path, config: Mapping[str, Any], files: tuple[Path, ...]) -> str:
    parts = (content_sha256(config, _Tensors(files)), tokenizer_sha256(folder))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class _Tensors(Mapping[str, torch.Tensor]):
    """The tensors of some files, each read when it is asked for: hashing 16 GB must not hold 16 GB."""

    def __init__(self, files: tuple[Path, ...]) -> None:
        self._file: dict[str, Path] = {}
        for path in files:
            with _opened(path) as file:
                names = list(file.keys())
            if twice := sorted(self._file.keys() & set(names)):
                raise ArtifactError("bad_safetensors", f"{path}: tensor {twice[0]} stands in another file too. Keep one set of weights.")
            self._file |= dict.fromkeys(names, path)

    def __getitem__(self, name: str) -> torch.Tensor:
        with _opened(self._file[name]) as file:
            tensor: torch.Tensor = file.get_tensor(name)
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._file)

    def __len__(self) -> int:
        return len(self._file)


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        raise ArtifactError("bad_safetensors", f"{path} must be a whole safetensors file: {error}. Copy it again.") from error


def _typed(folder: Path) -> Any:
    """config.json as its family's own configuration, whose attributes have one name in all families. Nothing is imported from the
    folder. Raises ArtifactError `bad_config`."""
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False).get_text_config(decoder=True)
    except (StrictDataclassError, OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactError("bad_config", f"{folder} must hold the configuration of a language model: {error}") from error


def _token_limit(config: Any) -> int:
    """The longest input for which a token's keys depend on the tokens before it alone and every token sees them all: the positions the
    model has, the sliding window, and the length at which some rotary embeddings change all frequencies."""
    kinds = set(getattr(config, "layer_types", None) or ())
    if kinds - ATTENTION:
        found = f"found {sorted(kinds - ATTENTION)}"
        raise ArtifactError("bad_config", f"every layer must be attention, {found}. Use a plain decoder such as Llama.")
    limits = [getattr(config, "max_position_embeddings", None)]
    if "sliding_attention" in kinds or (not kinds and getattr(config, "use_sliding_window", True)):
        limits.append(getattr(config, "sliding_window", None))
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type") in ("dynamic", "longrope"):
        limits.append(rope.get("original_max_position_embeddings"))
    return min([NO_LIMIT, *(limit for limit in limits if isinstance(limit, int))])
