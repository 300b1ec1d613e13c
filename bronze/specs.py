"""What leaves bronze? Examples, where they were found, what was refused, and embeddings."""

from __future__ import annotations

from lake.spec import DATASET, EXAMPLE, SETTINGS, Column, Table

SPLITS = ("adapter_train", "adapter_val", "meta")
OUTSIDE = "outside"  # inputs of no class of the dataset: embedded and predicted, apart from the others; no adapter learns them
PLACES = (*SPLITS, OUTSIDE)
NATURAL = "natural:"  # before the name of a shifted source of the user's own: the corruption that its examples stand under
OWN = "dataset"  # where metadata of the dataset's own examples come from

RUN = Column("run_id", "string", "run that wrote this row", volatile=True)
ERROR_CODE = Column("error_code", "string", "short reason, see docs/tables.md", nullable=False)
MESSAGE = Column("message", "string", "what was found, for a person")

EXAMPLES = Table(
    "bronze",
    "examples",
    "One row per content: a labelled picture or text.",
    ("dataset", "example_id", "settings_id"),
    (
        DATASET,
        EXAMPLE,
        SETTINGS,
        Column("modality", "string", "what kind of input this is", allowed=("image", "text"), nullable=False),
        Column(
            "split",
            "string",
            "who may learn from it: adapters train and select on the first two, all else uses meta; outside: of no class the adapters have",
            allowed=PLACES,
            nullable=False,
        ),
        Column(
            "label_id",
            "int",
            "position of the label in the dataset's ordered labels; outside labels come behind",
            unit="index",
            low=0,
            nullable=False,
        ),
        Column("label", "string", "the true class by name", nullable=False),
        Column("image", "binary", "the encoded picture exactly as read (arrays: as PNG); null for text"),
        Column("text", "string", "the text exactly as read; null for pictures"),
        Column("source_path", "string", "first place (in code-point order) it was found at, relative to the source root", nullable=False),
        Column(
            "notes",
            "array<string>",
            "conversions done when decoding, such as exif_rotated; of texts what was seen, such as not_nfc, or text_truncated (more than "
            "510 words: models read the beginning)",
            nullable=False,
        ),
    ),
)

REFERENCES = Table(
    "bronze",
    "references",
    "Every place a content was found at; one content may stand at several paths.",
    ("dataset", "source_path", "example_id", "settings_id"),
    (
        DATASET,
        Column("source_path", "string", "path relative to the source root; records as file#ordinal"),
        EXAMPLE,
        SETTINGS,
        Column("label", "string", "label given at this place", nullable=False),
        Column("source_split", "string", "the source's own split, where it has one"),
    ),
)

REJECTED = Table(
    "bronze",
    "rejected",
    "Inputs that made no example, each with its reason.",
    ("dataset", "source_path", "stage", "settings_id"),
    (
        DATASET,
        Column("source_path", "string", "path relative to the source root; records as file#ordinal"),
        Column("stage", "string", "where it was refused", allowed=("read", "label", "split")),
        SETTINGS,
        ERROR_CODE,
        MESSAGE,
        RUN,
    ),
)

EMBEDDINGS = Table(
    "bronze",
    "embeddings",
    "What the bare backbone makes of each example, in half precision.",
    ("dataset", "example_id", "backbone", "settings_id"),
    (
        DATASET,
        EXAMPLE,
        Column("backbone", "string", "name of the backbone as configured"),
        SETTINGS,
        Column("pooled", "binary", "CLS vector after the last layer norm: dim x float16, little-endian", nullable=False),
        Column("units", "binary", "patch vectors, n_units x dim x float16, little-endian, row by row; null unless embeddings.keep_units"),
        Column("n_units", "int", "number of units (patches)", unit="count", low=1, nullable=False),
        Column("dim", "int", "width of one vector", unit="count", low=1, nullable=False),
        Column("truncated", "boolean", "the text was longer than the model reads, and cut; null for pictures", added=True),
    ),
)

# A table of their own: what reads bronze.examples learns from them or judges by them, and these are to do neither.
SHIFTED = Table(
    "bronze",
    "shifted",
    "One row per content of each shifted source of the user's own: it tests adapters beside the corruptions, and nothing learns from it.",
    ("dataset", "corruption", "example_id", "settings_id"),
    (
        DATASET,
        Column("corruption", "string", "natural: and the source's name, as in ood.predictions"),
        EXAMPLE,
        SETTINGS,
        Column("modality", "string", "what kind of input this is", allowed=("image", "text"), nullable=False),
        Column("label_id", "int", "position of the label in the dataset's ordered labels", unit="index", low=0, nullable=False),
        Column("label", "string", "the true class by name", nullable=False),
        Column("image", "binary", "the encoded picture exactly as read (arrays: as PNG); null for text"),
        Column("text", "string", "the text exactly as read; null for pictures"),
        Column(
            "source_paths",
            "array<string>",
            "places it was found at when it was first read, in code-point order, relative to the source's root",
            nullable=False,
        ),
        Column("notes", "array<string>", "as in bronze.examples", nullable=False),
    ),
)

METADATA = Table(
    "bronze",
    "metadata",
    "What further columns of the source say of each example (source.manifest.metadata, source.table.metadata); replaced when they change.",
    ("dataset", "origin", "example_id", "field", "settings_id"),
    (
        DATASET,
        Column("origin", "string", "dataset: an example of bronze.examples; else the corruption that an example of bronze.shifted has"),
        EXAMPLE,
        Column("field", "string", "name of the column"),
        SETTINGS,
        Column(
            "value",
            "string",
            "its value at the content's first place in the file as it is, at most 256 characters; null where the record has none",
        ),
    ),
)

TABLES = (EXAMPLES, REFERENCES, REJECTED, EMBEDDINGS, SHIFTED, METADATA)
