"""What may a user say to each reader about how its source lies on disk?"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from xai.worlds.intent_draw import GrammarSettings


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def without_defaults(record: BaseModel, plain: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """`plain` without those of the names whose value in `record` is the default: keys that came later leave old hashes as they are."""
    fields = type(record).model_fields
    idle = {name for name in names if getattr(record, name) == fields[name].default}
    return {name: value for name, value in plain.items() if name not in idle}


def _sliceable(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names) or not all(name.strip() for name in names):
        raise ValueError(f"metadata must name distinct columns, found {names!r}")
    if "label" in names:
        raise ValueError("metadata must not name 'label': gold.slices has a slice of every label anyway")
    return names


# Columns of a file of records that are kept in bronze.metadata and that gold.slices slices by.
Metadata = Annotated[tuple[str, ...], AfterValidator(_sliceable)]


class _RecordsOptions(_Record):
    """`metadata`: further columns, such as site or camera, kept as text in bronze.metadata; gold.slices has a slice of each of their
    values."""

    metadata: Metadata = ()

    @model_serializer(mode="wrap")
    def _without_what_is_not_used(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_defaults(self, handler(self), ("metadata",))


class FolderOptions(_Record):
    """Layout `[split/]class/…/picture`. `split_folders` None: the top folders are splits if all that are not hidden, `__MACOSX` or empty
    have usual split names (train, val, valid, validation, dev, test); (): never."""

    split_folders: tuple[str, ...] | None = None


class NpzOptions(_Record):
    """`label_names`: text file beside the npz whose line n (from 0) names class n; absent or None, the class number is the label."""

    label_names: str | None = "labels.txt"


class ManifestOptions(_RecordsOptions):
    """A `.csv`, `.tsv`, `.jsonl` or `.parquet` file below the root and its columns; picture paths in it are relative to the root.

    `split` and `id` None: the columns of these names are used where there are any. A name that is given must exist.
    """

    file: str = "manifest.csv"
    path: str = "path"
    label: str = "label"
    split: str | None = None
    id: str | None = None


class PetOptions(_Record):
    """List files of Oxford-IIIT Pet, below the root; each one's stem is the source split. `images`: the folder of pictures."""

    lists: tuple[str, ...] = Field(default=("annotations/trainval.txt", "annotations/test.txt"), min_length=1)
    images: str = "images"


class TableOptions(_RecordsOptions):
    """Files of records with a text each: `.csv`, `.tsv` (quoted like CSV), `.jsonl` (one object a line) or `.parquet`, and their columns.

    `files`: names below the root, or patterns (`*` and `?` stay within one folder's name), each of which must find a file; None: all such
    files directly below the root. `split` and `id` None: the columns of these names are used where there are any. A column that is given
    must exist in every file. A record without a split of its own is of the split that its file's name says: `train.csv` and
    `train-00000-of-00003.parquet` of `train`.
    """

    files: tuple[str, ...] | None = Field(default=None, min_length=1)
    text: str = "text"
    label: str = "label"
    split: str | None = None
    id: str | None = None


class TextFolderOptions(_Record):
    """Layouts `[split/]class.txt`, one text per line, and `[split/]class/…/name.txt`, one text per file.

    `one_text_per`: `place` reads both, each where it stands; `line` and `file` one of them, the other's files are ignored.
    `split_folders`: as for reader `folder`.
    """

    one_text_per: Literal["place", "line", "file"] = "place"
    split_folders: tuple[str, ...] | None = None


class IntentsOptions(_Record):
    """Sentences of the intent grammar (xai.worlds.grammar): ten intents that differ by one or two words, with baits that decide nothing."""

    n: int = Field(default=2500, ge=10, description="sentences, all different; fewer are a prefix of more")
    seed: int = Field(default=0, ge=0, description="draws the sentences")
    grammar: GrammarSettings = Field(default=GrammarSettings(), description="how hard they are")
