"""How are a few texts attacked before there is a lake? With the keywords of these texts, all taken for training texts."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from models.text_scoring import TextScoring
from ood.keyword_source import TRAIN, source_keywords
from ood.text_shifts import TextShifts
from pipelines.config import Config
from pipelines.modality import label_proof


def tried_shifts(
    config: Config, scoring: TextScoring, labels: tuple[str, ...], ids: Sequence[str], label_ids: Sequence[int], texts: Sequence[str]
) -> TextShifts:
    """The configuration's attacks; which class is mistaken for which is not known here, and shared keywords decide."""
    columns = {
        "example_id": list(ids),
        "split": [TRAIN] * len(ids),
        "label_id": list(label_ids),
        "text": list(texts),
        "pooled": pa.array([None] * len(ids), pa.binary()),
    }
    keywords = source_keywords(pa.table(columns), labels, config.attacks.keywords)
    return TextShifts(scoring, config.attacks, keywords, labels, label_proof(config.source.reader))
