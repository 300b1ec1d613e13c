"""How does a text become token ids, and which characters does each token stand for? The folder's fast tokenizer, read as plain JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.backbone_record import TextBackbone
from models.errors import ArtifactError
from models.strict_json import read_object
from models.text_families import text_family_named

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

FILE = "tokenizer.json"
SETTINGS = "tokenizer_config.json"
MAX_BYTES = 64 << 20  # a vocabulary of 250,000 pieces takes 17 MB
ROLES = ("cls", "sep", "pad", "mask")
# We cut and pad by the model's limit ourselves; the versions of the file's format say nothing about the ids.
_NOT_IDENTITY = frozenset({"version", "truncation", "padding"})


@dataclass(frozen=True)
class TextTokenizer:
    """One tokenizer ready to use, cutting at `n_tokens` with its specials. `special_ids` by role: cls, sep, pad, mask."""

    backend: Tokenizer
    special_ids: Mapping[str, int]

    def encode(self, text: str) -> Encoding:
        """Ids with specials, and the span of every token in code points of `text`. Names of specials in the text are ordinary text.

        ValueError on text that is not valid Unicode (a lone surrogate): there are no bytes it could stand for.
        """
        try:
            return self.backend.encode(text)
        except (TypeError, UnicodeEncodeError) as error:
            raise ValueError(f"a text must be valid Unicode, found {text!r:.80}. Reject it as invalid_utf8.") from error


def tokenizer_of(backbone: TextBackbone, n_tokens: int) -> TextTokenizer:
    """The backbone's tokenizer, cutting at `n_tokens`: loaded once per process and limit. Raises ArtifactError `bad_config`,
    ValueError for a limit without room for a word or beyond the model's."""
    return _loaded(backbone, n_tokens)


@lru_cache(maxsize=8)
def _loaded(backbone: TextBackbone, n_tokens: int) -> TextTokenizer:
    backend = _read(backbone.folder)
    specials = special_tokens(backbone.folder, text_family_named(backbone.family).specials)
    known = {role: backend.token_to_id(token) for role, token in specials.items()}
    ids = {role: token_id for role, token_id in known.items() if token_id is not None}
    if lacking := sorted(specials[role] for role in known.keys() - ids.keys()):
        raise ArtifactError("bad_config", f"{backbone.folder / FILE} must hold the special tokens, found no {', '.join(lacking)}.")
    # A user's "</s>" or "[MASK]" is text: it must neither end the sequence nor hide a word.
    backend.encode_special_tokens = True
    backend.no_padding()
    backend.no_truncation()
    if (frame := backend.encode("").ids) != [ids["cls"], ids["sep"]]:
        found = f"an empty text becomes {frame}, not {[ids['cls'], ids['sep']]}"
        raise ArtifactError("bad_config", f"{backbone.folder / FILE} must frame a text by its cls and sep tokens; {found}.")
    if not len(frame) < n_tokens <= backbone.n_tokens:
        raise ValueError(f"n_tokens must be in {len(frame) + 1}..{backbone.n_tokens} for {backbone.name}, found {n_tokens}.")
    backend.enable_truncation(max_length=n_tokens)
    return TextTokenizer(backend, ids)


def _read(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer  # late: picture workers read this module too

    text = json.dumps(_fast(folder), ensure_ascii=False)
    try:
        return Tokenizer.from_str(text)
    except Exception as error:  # noqa: BLE001 - the library's own type for every refusal of a file is plain Exception
        raise ArtifactError("bad_config", f"{folder / FILE} must be a tokenizer of the tokenizers library: {error!s:.200}") from error


def _fast(folder: Path) -> dict[str, Any]:
    path = folder / FILE
    if not path.is_file():
        advice = "Save the fast tokenizer with save_pretrained: only it says which characters a token stands for."
        raise ArtifactError("bad_config", f"{folder} must hold {FILE}, found none. {advice}")
    return read_object(path, MAX_BYTES)


def special_tokens(folder: Path, defaults: Mapping[str, str]) -> dict[str, str]:
    """Role -> token: what tokenizer_config.json says, else the family's own."""
    said = tokenizer_settings(folder)
    found: dict[str, str] = {}
    for role in ROLES:
        token = said.get(f"{role}_token")
        token = token.get("content") if isinstance(token, dict) else token
        found[role] = token if isinstance(token, str) else defaults[role]
    return found


def tokenizer_settings(folder: Path) -> dict[str, Any]:
    """tokenizer_config.json, empty where there is none."""
    path = folder / SETTINGS
    return read_object(path) if path.is_file() else {}


def text_identity(folder: Path, pooling: str) -> dict[str, Any]:
    """What decides a text model's numbers beside configuration and weights, as plain data: the tokenizer without its padding and
    cutting, which are ours, the names of its specials where the folder gives any, and what the head reads."""
    said = tokenizer_settings(folder)
    specials = {role: said[key] for role in ROLES if (key := f"{role}_token") in said}
    named = {role: token.get("content") if isinstance(token, dict) else token for role, token in specials.items()}
    fast = {key: value for key, value in _fast(folder).items() if key not in _NOT_IDENTITY}
    return {"tokenizer": fast, "specials": named, "pooling": pooling}
