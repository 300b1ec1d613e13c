"""What do provenance networks say on real data? Writes docs/provenance.md and its drawing from finished lakes, without a JVM.

python scripts/provenance_page.py --lake build/mnist-lake --also build/caltech101-lake --out docs/provenance.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import pandas as pd
import provenance_words as words
from provenance_causal import causal_part
from provenance_chart import Line, Panel, curves
from provenance_heads import heads_part
from provenance_networks import MATCH
from provenance_parts import (
    costs_part,
    drawn,
    epochs_told,
    factor_parts,
    reached_part,
    sharing_part,
    subset_part,
    variants_part,
    verdicts_part,
)
from provenance_read import Study, read_studies
from provenance_uses import class_errors_part, generation_part, membership_part, mislabels_part, robustness_part
from results_made import place

from lake.errors import ConfigError, ContractError, MissingInputError

DOCUMENT = ROOT / "docs" / "provenance.md"
USAGE, DATA, MISSING = 78, 65, 66
TITLE = "Class accuracy on meta and top-5 index accuracy on training inputs, by epoch"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when page and drawing were written; 65, 66 or 78 with one line on stderr when a lake cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lake", type=Path, required=True, metavar="DIR", help="a finished lake with provenance networks")
    parser.add_argument("--also", type=Path, action="append", default=[], metavar="DIR", help="another lake; can be repeated")
    parser.add_argument(
        "--out", type=Path, default=DOCUMENT, metavar="FILE", help="default: docs/provenance.md; the drawing stands beside it"
    )
    options = parser.parse_args(arguments)
    try:
        studies = read_studies([options.lake, *options.also])
    except (ConfigError, ContractError, MissingInputError) as error:
        sys.stderr.write(f"provenance_page: {error}\n")
        return MISSING if isinstance(error, MissingInputError) else DATA if isinstance(error, ContractError) else USAGE
    picture = options.out.with_suffix(".svg")
    options.out.write_text(page(studies, picture.name), encoding="utf-8")
    if panels := panels_of(studies):
        note = "Mean over seeds, on the first examples of each (epoch_examples). Scales begin where each panel says."
        picture.write_text(curves(TITLE, note, panels), encoding="utf-8")
    return 0


def page(studies: Sequence[Study], picture: str = "provenance.svg") -> str:
    """The whole document."""
    parts = [opening(studies), *(dataset_section(study) for study in studies), epochs_section(studies, picture), heads_part(studies)]
    return "\n".join(part for part in parts if part)


def opening(studies: Sequence[Study]) -> str:
    """What it is, which lakes, which settings."""
    lakes = ", ".join(f"`{name}`" for name in dict.fromkeys(place(ROOT, Path(study.lake)) for study in studies))
    stamps = "; ".join(f"{study.dataset} {', '.join(f'`{one}`' for one in study.settings_ids)}" for study in studies if study.settings_ids)
    return words.OPENING.format(lakes=lakes, stamps=stamps or "none on record", match=MATCH.capitalize())


def dataset_section(study: Study) -> str:
    """All parts of one dataset that have rows; nothing for one that has heads over embeddings alone."""
    parts = [
        verdicts_part(study), variants_part(study), reached_part(study), *factor_parts(study), sharing_part(study), subset_part(study),
        costs_part(study), robustness_part(study), class_errors_part(study), membership_part(study), mislabels_part(study),
        causal_part(study), generation_part(study),
    ]  # fmt: skip
    there = [part for part in parts if part]
    return "\n".join([f"## {study.dataset}\n", *there]) if there else ""


def epochs_section(studies: Sequence[Study], picture: str) -> str:
    """The drawing, and the last epoch in figures."""
    told = "".join(epochs_told(study) for study in studies)
    return words.EPOCHS.format(picture=picture, told=told) if told else ""


def panels_of(studies: Sequence[Study]) -> list[Panel]:
    """Two panels for each dataset with epochs: class accuracy on meta, top-5 index accuracy."""
    found = []
    for study in studies:
        lines = drawn(study)
        for title, column in (("class accuracy on meta", "class_accuracy"), ("top-5 index accuracy", "top5_index")):
            own = tuple(line for name, rows in lines.items() if (line := _line(name, rows, column)).values)
            if own:
                found.append(Panel(f"{study.dataset}: {title}", own))
    return found


def _line(name: str, rows: pd.DataFrame, column: str) -> Line:
    means = rows.dropna(subset=[column]).groupby("epoch")[column].mean().sort_index()
    return Line(name, tuple(float(value) for value in means))


if __name__ == "__main__":
    sys.exit(main())
