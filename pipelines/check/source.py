"""What does the source of a configuration hold, what would be rejected of it, and how would it be divided?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bronze.build import Source, examples_settings
from bronze.readers import list_source, reader_named
from bronze.reference import Listing
from bronze.specs import OUTSIDE
from lake.errors import MissingInputError
from models.decode import decode
from models.errors import RejectedInput
from pipelines.check.drawn import Drawn, drawn
from pipelines.check.findings import Checked, near
from pipelines.check.labels import check_labels, check_splits
from pipelines.check.pictures import Headers, read_headers
from pipelines.check.rejected import check_rejected
from pipelines.check.splits import expected_splits
from pipelines.config import Config
from pipelines.exits import DATA, MISSING
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
    tried = _tried(config, source.root, listing, labels, checked)
    good = Counter((reference.label, reference.source_split) for reference in listing if reference.error_code is None)
    counts, sources = Counter[str | None](), Counter[str | None]()
    for (label, split), n in good.items():
        if label not in config.source.outside_labels:
            counts[label] += n
            sources[split] += n
    check_labels(labels, counts, "pictures", _overlooked(config, source.root), checked)
    expected = expected_splits(sources, config.source, config.splits)
    expected |= {OUTSIDE: good.total() - sources.total()} if config.source.outside_labels else {}
    check_splits(config, expected, " (expected)", checked)
    return Pictures(labels, tried) if tried else None


def _headers(config: Config, headers: Headers, ignored: int, checked: Checked) -> None:
    where = near(config.source.root) if config.source.root else config.source.reader
    found = f"{headers.n_places:,} in {where}; {ignored:,} other files ignored"
    if not headers.codes:
        checked.add("pictures", f"{found}; none rejected by {headers.n_read:,} headers")
        return
    check_rejected("pictures", found, headers.codes, headers.n_places, config.execution.max_rejected_share, checked)


def _tried(config: Config, root: Path, listing: Listing, labels: tuple[str, ...], checked: Checked) -> tuple[Drawn, ...]:
    """The pictures of these labels that are read and decoded whole, those with the lowest content hashes."""
    found, refused = drawn(listing, reader_named(config.source.reader), root, TRIED, config.decode.max_bytes, labels)
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
