"""What does the results page say about training examples behind predictions? The causal check above all; provenance.md has the rest."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from docs_markdown import grid
from provenance_causal import causal_table, conclusion, peers_told
from provenance_figures import cell, span
from provenance_heads import TITLES as HEAD_TITLES
from provenance_heads import comparisons, head_lines
from provenance_networks import MATCH, figure, neighbours, usual, variants
from provenance_read import Study, read_study

HEAD = (
    "Which training examples does a prediction rest on? Networks with an index head, beside the plain classifier and kNN over the same\n"
    "features, which is free. How to read the figures, and all others: [provenance.md](provenance.md)."
)
CHECKED = (
    "The causal check: the named examples are taken out and the class head is fitted again on frozen features, or the whole network is\n"
    "trained again. Change of p(predicted class), intervals over test examples; below 0 the prediction was held up by them."
)
EMBEDDED = "Heads over the embeddings, Wilson's intervals over the examples of meta:"
COLUMNS = {"class accuracy": "class_accuracy", "top-5 index": "top5_index", MATCH: "class_match_top1"}


def provenance_part(lake: Path, dataset: str) -> str:
    """The section with its title; empty where the lake holds nothing of it."""
    text = provenance_section(read_study(lake, dataset))
    return f"\n### {dataset}: provenance\n\n{text.rstrip()}" if text else ""


def provenance_section(study: Study) -> str:
    """Markdown: networks, the causal check with its conclusion, heads over embeddings; each where it has rows."""
    causal, heads = study.rows("causal"), head_lines(study)
    parts = [_networks(study)]
    if len(causal):
        parts.append(f"{CHECKED}\n\n{causal_table(causal)}\n**{conclusion(causal)}** {peers_told(causal)}")
    if heads:
        told = "".join(f"- {sentence}\n" for sentence in comparisons(study))
        parts.append(f"{EMBEDDED}\n\n{grid(HEAD_TITLES, heads)}" + (f"\n{told}" if told else ""))
    there = [part.rstrip() for part in parts if part]
    ids = ", ".join(f"`{one}`" for one in study.settings_ids)
    return "\n\n".join([f"{HEAD} Settings {ids}.", *there]) + "\n" if there else ""


def _networks(study: Study) -> str:
    nets = study.nets
    if nets.empty:
        return ""
    network = usual(nets)
    found = variants(nets, network) | neighbours(nets, network)
    rows = pd.concat(found.values())
    lines = [[name, f"{own['seed'].nunique()}", *(cell(figure(own, column)) for column in COLUMNS.values())] for name, own in found.items()]
    told = f"{span(rows['n_train'])} training pictures, {span(rows['n'])} of meta; Student's t over seeds (†: over inputs):"
    return f"{told}\n\n{grid(['network', 'seeds', *COLUMNS], lines)}"
