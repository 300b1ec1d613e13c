"""Would the shifted sources of the user's own be read, and what would be rejected of each?"""

from __future__ import annotations

from collections import Counter

from bronze.build import Source
from bronze.reference import Listing
from bronze.shifted.build import list_shifted, shifted_source
from lake.errors import MissingInputError
from pipelines.check.findings import Checked, near
from pipelines.check.pictures import read_headers
from pipelines.check.rejected import check_rejected
from pipelines.check.texts import judged
from pipelines.config import Config
from pipelines.exits import DATA, MISSING
from pipelines.own_data import source_of


def check_shifted_sources(config: Config, labels: tuple[str, ...], checked: Checked) -> None:
    """A row per shifted source: its inputs, of how many of the dataset's labels, and the codes of what would be rejected.

    Headers of all pictures, and every text, are read; that the dataset holds a content too, only the run finds out, but for a source that
    is the dataset's own.
    """
    for shift in config.shifted:
        source, what = shifted_source(source_of(config), shift, labels), f"shifted {shift.name}"
        if _is_own(source, source_of(config)):
            checked.add(what, near(shift.source.root or ""), "is the dataset's own source: the same contents are no shift", DATA)
            continue
        try:
            listing = list_shifted(source, shift.name)
        except MissingInputError as error:
            checked.add(what, "missing", str(error), MISSING)
            continue
        n_places, codes, own = _texts(config, source, listing, labels) if config.modality == "text" else _pictures(source, listing)
        where = near(shift.source.root) if shift.source.root else shift.source.reader
        found = f"{n_places:,} in {where}, of {len(own):,} of the {len(labels):,} labels"
        if not own:
            told = ", ".join(f"{n:,} {code}" for code, n in codes.most_common())
            shown = ", ".join(labels[:4]) + (", …" if len(labels) > 4 else "")
            checked.add(what, f"{found}; {told}", f"no input has a label of the dataset ({shown}): labels are matched by name", DATA)
        elif codes:
            check_rejected(what, found, codes, n_places, config.execution.max_rejected_share, checked)
        else:
            checked.add(what, f"{found}; none rejected")


def _is_own(source: Source, own: Source) -> bool:
    """The same places read in the same way, all of them: other files of one folder, or what a limit left out, may be a shift."""
    apart = {"labels", "split_map", "outside_labels", "root"}
    one, other = (given.source.model_dump(mode="json", exclude=apart) for given in (source, own))
    return source.root is not None and source.root == own.root and own.source.limit is None and one == other


def _pictures(source: Source, listing: Listing) -> tuple[int, Counter[str], set[str | None]]:
    """Places, error code -> places rejected, and the labels that are left."""
    headers = read_headers(listing, source.source.reader, source.root, source.decode.limits())
    return headers.n_places, headers.codes, {reference.label for reference in listing if reference.error_code is None}


def _texts(config: Config, source: Source, listing: Listing, labels: tuple[str, ...]) -> tuple[int, Counter[str], set[str | None]]:
    found = judged(source, listing, labels, 1, config.priors.scoring.prompt)
    return found.n_places, found.codes, set(found.labels)
