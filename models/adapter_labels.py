"""Which label does each output of an adapter mean, and are these the data's labels?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.errors import ArtifactError


def labels_of_model_config(config: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The ordered labels in `id2label` of a model's config.json, or None without one. Raises ArtifactError `label_mismatch` unless
    its keys count from 0 and its values are texts."""
    mapping = config.get("id2label")
    if not mapping:
        return None
    if not isinstance(mapping, Mapping) or set(mapping) != {str(i) for i in range(len(mapping))}:
        raise ArtifactError("label_mismatch", f"id2label must number labels from 0, found {mapping!r:.120}")
    labels = tuple(mapping[str(i)] for i in range(len(mapping)))
    if not all(isinstance(label, str) for label in labels):
        raise ArtifactError("label_mismatch", f"id2label must hold texts, found {labels!r:.120}")
    return labels


def check_label_set(labels: Sequence[str], data_labels: Sequence[str]) -> None:
    """Raise ArtifactError `label_mismatch` unless the adapter's labels are the data's in some order: another set, another case and a
    repeat are refused, since guessing would score every picture of two classes wrongly."""
    if len(set(labels)) != len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ArtifactError("label_mismatch", f"an adapter's labels must be distinct, found {twice!r} twice")
    lacking, foreign = sorted(set(data_labels) - set(labels)), sorted(set(labels) - set(data_labels))
    if lacking or foreign:
        raise ArtifactError(
            "label_mismatch",
            f"the adapter's {len(labels)} labels must be the data's {len(data_labels)} in any order, found {len(lacking)} of the data's "
            f"lacking (first {lacking[:1]}) and {len(foreign)} others (first {foreign[:1]}); spelling and case count",
        )


def label_order(labels: Sequence[str], data_labels: Sequence[str]) -> tuple[int, ...]:
    """For each data label, the adapter's output that means it: `logits[:, label_order]` is in the data's order."""
    position = {label: index for index, label in enumerate(labels)}
    return tuple(position[label] for label in data_labels)
