"""What texts does the source of a configuration hold, which of them would be rejected and why, and how would they be divided?"""

from __future__ import annotations

from dataclasses import dataclass

from bronze.build import Source, examples_settings
from bronze.ingest import LONGEST
from bronze.readers import list_source
from bronze.specs import OUTSIDE, SPLITS
from lake.errors import MissingInputError
from pipelines.check.findings import Checked, near
from pipelines.check.labels import check_labels, check_splits
from pipelines.check.rejected import check_rejected
from pipelines.check.texts import Judged, Text, judged
from pipelines.config import Config
from pipelines.exits import DATA, MISSING

TRIED = 10
DRAWN = 256  # texts that are tokenised, and that a backbone which stands in learns its vocabulary from


@dataclass(frozen=True)
class Texts:
    """What the source holds: its ordered labels, the texts that are tokenised, and the first ten of them, on which models are tried.
    `fewest_bytes`: as in `Judged`."""

    labels: tuple[str, ...]
    drawn: tuple[Text, ...]
    fewest_bytes: int | None = None

    @property
    def tried(self) -> tuple[Text, ...]:
        return self.drawn[:TRIED]


def check_text_source(config: Config, checked: Checked) -> Texts | None:
    """Rows texts, rejected (one for each reason), long texts, labels, splits. None where there is no text to try models on."""
    source = Source(config.dataset, config.source, config.splits, config.decode, config.execution.max_rejected_share)
    try:
        listing = list_source(config.source, source.root, source.limits.max_bytes)
        labels, _ = examples_settings(source, listing)
    except MissingInputError as error:
        checked.add("texts", "missing", str(error), MISSING)
        return None
    found = judged(source, listing, labels, DRAWN, config.priors.scoring.prompt)
    _texts(config, found, listing.ignored, checked)
    check_labels(labels, found.labels, "texts", "", checked)
    places = (*SPLITS, OUTSIDE) if config.source.outside_labels else SPLITS
    check_splits(config, {place: found.splits[place] for place in places}, "", checked)
    if not found.drawn:
        checked.add("tried", "no text can be used", "every text was rejected: the rows above say why", DATA)
        return None
    return Texts(labels, found.drawn, found.fewest_bytes)


def _texts(config: Config, found: Judged, ignored: int, checked: Checked) -> None:
    where = near(config.source.root) if config.source.root else config.source.reader
    again = f"; {found.n_again:,} stand more than once and count once" if found.n_again else ""
    text = f"{found.n_places:,} in {where}; {ignored:,} other files ignored{again}"
    if found.codes:
        check_rejected("texts", text, found.codes, found.n_places, config.execution.max_rejected_share, checked)
        for code, reason in found.reasons.items():
            checked.note("rejected", f"{code}, first {reason}")
    else:
        checked.add("texts", f"{text}; none rejected")
    if found.n_long:
        read = f"{found.n_long:,} have more than {LONGEST} words: BERT and RoBERTa read the beginning of such a text"
        checked.add("long texts", read, "cut or split them yourself where the end matters")
