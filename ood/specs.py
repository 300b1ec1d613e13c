"""What leaves ood? What each adapter answers on each changed meta example, and the attacked texts themselves."""

from __future__ import annotations

from lake.spec import ADAPTER, DATASET, EXAMPLE, SETTINGS, Column, Table

PREDICTIONS = Table(
    "ood",
    "predictions",
    (
        "One row per example, adapter, corruption and severity; clean is (none, 0). Of texts a corruption is an attack; shifted data of "
        "the user's own are natural:NAME."
    ),
    ("dataset", "example_id", "adapter_id", "corruption", "severity", "settings_id"),
    (
        DATASET,
        EXAMPLE,
        ADAPTER,
        Column(
            "corruption",
            "string",
            "name of the corruption or, of texts, the attack; none is the clean input; natural:NAME an example of bronze.shifted",
        ),
        Column("severity", "int", "1 is the mildest; 0 is clean", low=0, high=5),
        SETTINGS,
        Column(
            "parameter", "double", "the corruption's or attack's leading parameter at this severity; null for clean and for natural:NAME"
        ),
        Column(
            "predicted_id", "int", "position of the predicted label in the dataset's ordered labels", unit="index", low=0, nullable=False
        ),
        Column(
            "confidence",
            "double",
            "largest softmax probability on the changed input",
            unit="probability",
            low=0.0,
            high=1.0,
            nullable=False,
        ),
        Column("is_correct", "boolean", "the predicted label is the true one", nullable=False),
        Column("flipped", "boolean", "correct on the clean input, wrong here; null for natural:NAME, which has no clean counterpart"),
    ),
    ("dataset", "adapter_id"),
)

ATTACKED_TEXTS = Table(
    "ood",
    "attacked_texts",
    "One row per text, attack and severity: the very text that every adapter answers; joins ood.predictions, settings_id included.",
    ("dataset", "example_id", "attack", "severity", "settings_id"),
    (
        DATASET,
        EXAMPLE,
        Column("attack", "string", "name of the attack; the column corruption of ood.predictions"),
        Column("severity", "int", "1 is the mildest", low=1, high=5),
        SETTINGS,
        Column("original", "string", "the text before", nullable=False),
        Column("edited", "string", "the text after; the original where nothing was edited", nullable=False),
        Column("rule", "string", "each edit, in order; not_editable: and why, where there was none", nullable=False),
        Column(
            "positions",
            "array<int>",
            "touched words, ascending from 0: of edited where words were inserted or changed, of original where they were deleted",
            unit="index",
            nullable=False,
        ),
        Column("is_edited", "boolean", "a word was touched; if not, edited is original, and answers are the clean ones", nullable=False),
        Column("keeps_label", "boolean", "the data's own truth gives edited the label of original; null where no such truth is known"),
    ),
    ("dataset",),
)

TABLES = (PREDICTIONS, ATTACKED_TEXTS)
