"""What are the texts of the intent grammar as a source: sentences whose decisive words are known, and that need no download?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bronze.options import IntentsOptions
from bronze.readers.checks import checked
from bronze.reference import Listing, Reference
from models.errors import RejectedInput
from xai.worlds import grammar

if TYPE_CHECKING:
    from bronze.settings import SourceSettings

WORLD = 1  # raise it with any change of the sentences in xai/worlds: they are then read again


def listing(settings: SourceSettings, root: Path) -> Listing:
    """`intents.n` sentences as `intents#ordinal` with their intent as label; `root` is not looked at."""
    return Listing(lambda: _references(settings))


def _references(settings: SourceSettings) -> Iterator[Reference]:
    location = settings.intents.model_dump_json()
    for ordinal, (_, label) in enumerate(_sentences(location)):
        yield checked(Reference(f"intents#{ordinal}", location, ordinal, label), settings)


def content(reference: Reference, root: Path, max_bytes: int) -> bytes:
    """One sentence in UTF-8. Raises RejectedInput `bad_record` beyond the last."""
    sentences = _sentences(reference.location)
    if reference.ordinal is None or not 0 <= reference.ordinal < len(sentences):
        raise RejectedInput("bad_record", f"ordinal must be 0 to {len(sentences) - 1}, found {reference.ordinal}")
    return sentences[reference.ordinal][0].encode()


def stamp(location: str, root: Path) -> str:
    """The version of the grammar's world."""
    return str(WORLD)


@lru_cache(maxsize=2)
def _sentences(location: str) -> list[tuple[str, str]]:
    """(text, label) under options as JSON; 3,000 take half a second, once per process."""
    options = IntentsOptions.model_validate_json(location)
    return grammar.texts(options.n, options.seed, options.grammar)
