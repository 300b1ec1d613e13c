"""Are there labels to tell apart, and examples for every split that is needed?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pipelines.check.findings import Checked
from pipelines.config import Config
from pipelines.exits import CONFIG


def check_labels(labels: Sequence[str], counts: Counter[str | None], what: str, advice: str, checked: Checked) -> None:
    """Row labels. `counts`: label -> examples; `what`: pictures or texts; `advice`: what to do about labels that look like something
    else, empty where they do not."""
    shown = ", ".join(labels[:4]) + (", …" if len(labels) > 4 else "")
    least = min((counts[label] for label in labels), default=0)  # a label whose examples were all rejected has none
    found = f"{len(labels):,} ({shown}), {least:,} to {max(counts.values(), default=0):,} {what} each"
    few = f"one class: every answer is right, and no statistic says anything; add {what} of a second class"
    checked.add("labels", found, advice or (few if len(labels) < 2 else ""))


def check_splits(config: Config, counts: Mapping[str, int], how: str, checked: Checked) -> None:
    """Row splits. `counts`: split -> examples; `how`: how they are known, put behind them. A split that is needed and empty is a fault of
    the configuration."""
    found = ", ".join(f"{split} {n:,}" for split, n in counts.items()) + how
    trains = bool(config.adapters.recipes) or config.backbone.pretrain is not None
    needed = ["meta", *(("adapter_train",) if trains else ()), *(("adapter_val",) if config.adapters.recipes else ())]
    if empty := [split for split in needed if not counts[split]]:
        key = "source.split_map" if config.source.split_map is not None else "splits"
        checked.add("splits", found, f"{', '.join(empty)} would be empty: give it a share in {key}", CONFIG)
        return
    checked.add("splits", found)
