"""What may a user say about where examples come from, who may learn from them, and which pictures and texts are too big?"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from bronze.options import (
    FolderOptions,
    IntentsOptions,
    ManifestOptions,
    NpzOptions,
    PetOptions,
    TableOptions,
    TextFolderOptions,
    without_defaults,
)
from bronze.readers import READERS
from bronze.specs import NATURAL
from lake.spec import NAME
from models.decode import DecodeLimits
from models.text_content import TextLimits

PICTURE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


WITHOUT_ROOT = ("digits", "intents")


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


class SourceSettings(_Record):
    """One source of examples.

    `root`: its folder (not needed by `digits` and `intents`). `labels`: the labels in order, others are rejected; None takes all that come.
    `limit`: only the first n contents in the order of their hash, for small runs. `split_map`: the source's own split ->
    `meta`, `adapter_train`, `adapter_val`, or shares of them; None divides all by content hash. `outside_labels`: labels of inputs that
    belong to no class, such as out-of-scope queries; they are in the lake as split `outside`, whatever `split_map` says, and no adapter
    has such a label.
    """

    reader: str
    root: str | None = None
    suffixes: tuple[str, ...] = PICTURE_SUFFIXES
    folder: FolderOptions = FolderOptions()
    npz: NpzOptions = NpzOptions()
    manifest: ManifestOptions = ManifestOptions()
    pet: PetOptions = PetOptions()
    table: TableOptions = TableOptions()
    text_folder: TextFolderOptions = TextFolderOptions()
    intents: IntentsOptions = IntentsOptions()
    labels: tuple[str, ...] | None = None
    limit: int | None = Field(None, ge=1)
    split_map: Mapping[str, SplitTarget] | None = None
    outside_labels: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _without_what_is_not_used(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Sources of pictures read, and hash, as they did before there were texts."""
        return without_defaults(self, handler(self), ("table", "text_folder", "intents", "outside_labels"))

    def columns(self) -> dict[str, str]:
        """The columns whose values make an example; another column of the same files is another generation, not a conflict with it."""
        return {"text_column": self.table.text, "label_column": self.table.label} if self.reader == "table" else {}

    @property
    def metadata(self) -> tuple[str, ...]:
        """Columns that are kept beside the examples; none where the reader has no columns."""
        return {"manifest": self.manifest.metadata, "table": self.table.metadata}.get(self.reader, ())

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
    def _outside_is_outside(self) -> SourceSettings:
        names = self.outside_labels
        if len(set(names)) != len(names) or not all(name.strip() for name in names):
            raise ValueError(f"outside_labels must be distinct and not empty, found {names!r}")
        if both := sorted(set(names) & set(self.labels or ())):
            raise ValueError(f"a label must be in labels or in outside_labels, found {', '.join(both)} in both")
        return self

    @model_validator(mode="after")
    def _has_root(self) -> SourceSettings:
        if self.root is None and self.reader not in WITHOUT_ROOT:
            raise ValueError(f"root must name the folder that reader {self.reader!r} reads: add source.root")
        return self


class ShiftedSettings(_Record):
    """Labelled data of the user's own for the same labels: another camera, another site, another domain. Every example of it is tried on
    every adapter as corruption `natural:NAME`, severity 1. Nothing learns from it.

    `name`: what stands behind `natural:`. `source`: where it lies; its labels are the dataset's, matched by name, and all of it is used.
    """

    name: str = Field(pattern=NAME.pattern)
    source: SourceSettings

    @property
    def corruption(self) -> str:
        """The corruption that its examples stand under."""
        return f"{NATURAL}{self.name}"

    @model_validator(mode="after")
    def _is_all_shifted(self) -> ShiftedSettings:
        if idle := [key for key in ("labels", "split_map", "outside_labels") if getattr(self.source, key)]:
            raise ValueError(f"{', '.join(idle)} must be left out: a shifted source has the labels of the dataset, and no splits")
        return self


class DecodeSettings(_Record):
    """Pictures and texts beyond these are refused before they are decoded. Units: bytes of a picture file, pixels, bytes of one text."""

    max_bytes: int = Field(DecodeLimits().max_bytes, ge=1)
    max_pixels: int = Field(DecodeLimits().max_pixels, ge=1)
    max_text_bytes: int = Field(TextLimits().max_bytes, ge=1)

    @model_serializer(mode="wrap")
    def _without_what_is_not_used(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_defaults(self, handler(self), ("max_text_bytes",))

    def limits(self) -> DecodeLimits:
        """Those of pictures, as the record `models.decode` takes."""
        return DecodeLimits(max_bytes=self.max_bytes, max_pixels=self.max_pixels)

    def limits_of(self, modality: str) -> DecodeLimits | TextLimits:
        """Those of one modality, as its decoder takes them."""
        return TextLimits(max_bytes=self.max_text_bytes) if modality == "text" else self.limits()
