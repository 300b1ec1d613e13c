"""What may a user say about where examples come from, who may learn from them, and which pictures are too big?"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from bronze.readers import READERS
from models.decode import DecodeLimits

PICTURE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SplitShares(_Record):
    """Shares of a set that go to each split; they sum to 1."""

    adapter_train: float = Field(0.0, ge=0.0, le=1.0)
    adapter_val: float = Field(0.0, ge=0.0, le=1.0)
    meta: float = Field(0.0, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _sums_to_one(self) -> SplitShares:
        total = self.adapter_train + self.adapter_val + self.meta
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"adapter_train + adapter_val + meta must be 1, found {total:g}: correct the shares")
        return self


def _share(value: object) -> object:
    return {value: 1.0} if isinstance(value, str) else value


SplitTarget = Annotated[SplitShares, BeforeValidator(_share)]


class SplitSettings(SplitShares):
    """How examples are divided by content hash; `seed` draws another division, the same for every run."""

    adapter_train: float = Field(0.5, ge=0.0, le=1.0)
    adapter_val: float = Field(0.1, ge=0.0, le=1.0)
    meta: float = Field(0.4, ge=0.0, le=1.0)
    seed: int = 0


class FolderOptions(_Record):
    """Layout `[split/]class/…/picture`. `split_folders` None: the top folders are splits if all that are not hidden, `__MACOSX` or empty
    have usual split names (train, val, valid, validation, dev, test); (): never."""

    split_folders: tuple[str, ...] | None = None


class NpzOptions(_Record):
    """`label_names`: text file beside the npz whose line n (from 0) names class n; absent or None, the class number is the label."""

    label_names: str | None = "labels.txt"


class ManifestOptions(_Record):
    """A `.csv`, `.tsv` or `.parquet` file below the root and its columns; picture paths in it are relative to the root.

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


class SourceSettings(_Record):
    """One source of examples.

    `root`: its folder (not needed by `digits`). `labels`: the labels in order, others are rejected; None takes all that come.
    `limit`: only the first n contents in the order of their hash, for small runs. `split_map`: the source's own split ->
    `meta`, `adapter_train`, `adapter_val`, or shares of them; None divides all by content hash.
    """

    reader: str
    root: str | None = None
    suffixes: tuple[str, ...] = PICTURE_SUFFIXES
    folder: FolderOptions = FolderOptions()
    npz: NpzOptions = NpzOptions()
    manifest: ManifestOptions = ManifestOptions()
    pet: PetOptions = PetOptions()
    labels: tuple[str, ...] | None = None
    limit: int | None = Field(None, ge=1)
    split_map: Mapping[str, SplitTarget] | None = None

    @field_validator("reader")
    @classmethod
    def _known(cls, value: str) -> str:
        names = [reader.name for reader in READERS]
        if value not in names:
            near = difflib.get_close_matches(value, names, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"reader must be one of {', '.join(names)}, found {value!r}{hint}")
        return value

    @field_validator("suffixes")
    @classmethod
    def _lower_with_dot(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [suffix for suffix in value if not suffix.startswith(".") or suffix != suffix.lower()]:
            raise ValueError(f"suffixes must be lower case and begin with a dot, found {', '.join(map(repr, wrong))}")
        return value

    @field_validator("labels")
    @classmethod
    def _distinct(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and (not value or len(set(value)) != len(value) or not all(label.strip() for label in value)):
            raise ValueError(f"labels must be distinct, not empty and at least one, found {value!r}")
        return value

    @model_validator(mode="after")
    def _has_root(self) -> SourceSettings:
        if self.root is None and self.reader != "digits":
            raise ValueError(f"root must name the folder that reader {self.reader!r} reads: add source.root")
        return self


class DecodeSettings(_Record):
    """Pictures beyond these are refused before they are decoded. Units: bytes of the file, pixels of the picture."""

    max_bytes: int = Field(DecodeLimits().max_bytes, ge=1)
    max_pixels: int = Field(DecodeLimits().max_pixels, ge=1)

    def limits(self) -> DecodeLimits:
        """The same as the record `models.decode` takes."""
        return DecodeLimits(max_bytes=self.max_bytes, max_pixels=self.max_pixels)
