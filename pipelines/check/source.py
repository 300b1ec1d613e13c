"""What does the source of a configuration hold, what would be rejected of it, and how would it be divided?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bronze.build import Source, examples_settings
from bronze.readers import list_source, reader_named
from bronze.reference import Listing
from lake.errors import MissingInputError
from models.decode import decode
from models.errors import RejectedInput
from pipelines.check.drawn import Drawn, drawn
from pipelines.check.findings import Checked, near
from pipelines.check.pictures import Headers, read_headers
from pipelines.check.splits import expected_splits
from pipelines.config import Config
from pipelines.exits import CONFIG, DATA, MISSING
from pipelines.init.split_names import advice, overlooked

TRIED = 10


@dataclass(frozen=True)
class Pictures:
    """What the source holds: its ordered labels, and the tried pictures that can be decoded."""

    labels: tuple[str, ...]
    tried: tuple[Drawn, ...]


def check_source(config: Config, checked: Checked) -> Pictures | None:
    """Rows pictures, tried, labels, splits. None where there is no picture to try models on."""
    source = Source(config.dataset, config.source, config.splits, config.decode, config.execution.max_rejected_share)
    try:
        listing = list_source(config.source, source.root, config.decode.max_bytes)
        labels, _ = examples_settings(source, listing)
    except MissingInputError as error:
        checked.add("pictures", "missing", str(error), MISSING)
        return None
    headers = read_headers(listing, config.source.reader, source.root, config.decode.limits())
    _headers(config, headers, listing.ignored, checked)
    tried = _tried(config, source.root, listing, checked)
    _labels(labels, listing, _overlooked(config, source.root), checked)
    _splits(config, Counter(r.source_split for r in listing if r.error_code is None), checked)
    return Pictures(labels, tried) if tried else None


def _headers(config: Config, headers: Headers, ignored: int, checked: Checked) -> None:
    n_bad, limit = headers.codes.total(), config.execution.max_rejected_share
    where = near(config.source.root) if config.source.root else config.source.reader
    found = f"{headers.n_places:,} in {where}; {ignored:,} other files ignored"
    if not n_bad:
        checked.add("pictures", f"{found}; none rejected by {headers.n_read:,} headers")
        return
    codes = ", ".join(f"{n:,} {code}" for code, n in headers.codes.most_common())
    refused = n_bad / headers.n_places > limit
    fix = (
        f"more than execution.max_rejected_share = {limit:g}: the run would refuse the data"
        if refused
        else "each becomes a row with its reason"
    )
    checked.add(
        "pictures",
        f"{found}; rejected: {codes}",
        f"{fix}; mend or remove them, or see bronze.rejected after the run",
        DATA if refused else 0,
    )


def _tried(config: Config, root: Path, listing: Listing, checked: Checked) -> tuple[Drawn, ...]:
    """The pictures that are read and decoded whole, those with the lowest content hashes."""
    found, refused = drawn(listing, reader_named(config.source.reader), root, TRIED, config.decode.max_bytes)
    codes = Counter(refusal.code for refusal in refused)
    good = []
    for picture in found:
        try:
            decode(picture.content, config.decode.limits())
        except RejectedInput as refusal:
            codes[refusal.code] += 1
        else:
            good.append(picture)
    rejected = ", ".join(f"{n:,} {code}" for code, n in codes.most_common())
    text = f"{len(good)} of {len(found) + len(refused)} decoded whole"
    if not good:
        checked.add("tried", f"{text}; {rejected}", "none of the tried pictures can be decoded: look at the files", DATA)
    elif rejected:
        checked.add("tried", f"{text}; {rejected}", "such pictures become rows of bronze.rejected")
    else:
        checked.add("tried", text)
    return tuple(good)


def _overlooked(config: Config, root: Path) -> str:
    own = config.source
    return advice(overlooked(root)) if own.reader == "folder" and own.folder.split_folders is None else ""


def _labels(labels: tuple[str, ...], listing: Listing, splits: str, checked: Checked) -> None:
    """`splits`: what to do about splits that were read as classes, if it looks like that."""
    counts = Counter(reference.label for reference in listing if reference.error_code is None)
    shown = ", ".join(labels[:4]) + (", …" if len(labels) > 4 else "")
    found = f"{len(labels):,} ({shown}), {min(counts.values(), default=0):,} to {max(counts.values(), default=0):,} pictures each"
    few = "one class: every answer is right, and no statistic says anything; add pictures of a second class"
    checked.add("labels", found, splits or (few if len(labels) < 2 else ""))


def _splits(config: Config, sources: Counter[str | None], checked: Checked) -> None:
    """A split that is needed and empty is a fault of the configuration."""
    expected = expected_splits(sources, config.source, config.splits)
    found = ", ".join(f"{split} {n:,}" for split, n in expected.items()) + " (expected)"
    trains = bool(config.adapters.recipes) or config.backbone.pretrain is not None
    needed = ["meta", *(("adapter_train",) if trains else ()), *(("adapter_val",) if config.adapters.recipes else ())]
    if empty := [split for split in needed if not expected[split]]:
        key = "source.split_map" if config.source.split_map is not None else "splits"
        checked.add("splits", found, f"{', '.join(empty)} would be empty: give it a share in {key}", CONFIG)
        return
    checked.add("splits", found)
