"""What does the results page say about a dataset's pictures, backbone and adapters? Markdown, with n, interval, split and settings hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from docs_markdown import grid
from results_intervals import Share, counted, failed, shown, times_the_probe
from results_probe import Probe
from results_read import Findings

FACTOR = 2.0  # a backbone whose adapters stay below this multiple of raw pixels is called unusable, or usable in part


def data_section(findings: Findings) -> str:
    """Pictures, classes, rejected inputs, the backbone and how it was made."""
    splits = ", ".join(f"{name} {findings.splits.get(name, 0):,}" for name in ("adapter_train", "adapter_val", "meta"))
    scored = (
        f"- Scored in {findings.scoring['dtype']} with batches of {findings.scoring['batch_size']} at "
        f"{findings.scoring['preprocessing']['size']} px; settings `{findings.settings_ids['silver.predictions']}`."
    )
    lines = [
        f"- Pictures: {splits}; {findings.n_labels} classes. Settings `{findings.settings_ids['bronze.examples']}`.",
        f"- Refused: {refused_text(findings)}.",
        f"- Backbone: {backbone_text(findings)}",
        scored,
    ]
    return "\n".join(lines)


def refused_text(findings: Findings) -> str:
    """How many inputs and rows were refused, by table and reason."""
    found = "; ".join(f"{row['table_name']}: {row['n']} × {row['error_code']}" for row in findings.refused.to_dict("records"))
    return found or "nothing"


def backbone_text(findings: Findings) -> str:
    """One sentence: which model, and for one that was pre-trained here all its settings."""
    mark = str(findings.scoring["backbone_sha256"])[:12]
    if findings.config is None:
        return f"sha256 {mark}…; how it was made is not on record."
    own: Mapping[str, Any] = findings.config["backbone"]
    if own.get("pretrain") is None:
        return f"{str(own['name']).rstrip('/').rpartition('/')[2]}, given (sha256 {mark}…)."
    labels = own.get("pretrain_labels")
    seen = "all classes" if labels is None else f"{len(labels)} of {findings.n_labels} classes"
    settings = ", ".join(f"{name} {_flat(value)}" for name, value in own["pretrain"].items() if name != "name")
    return f"{own['pretrain']['name']} (sha256 {mark}…), pre-trained here on {seen} of adapter_train: {settings}."


def _flat(value: Any) -> str:
    return json.dumps(value).replace('"', "") if isinstance(value, (dict, list)) else str(value)


def adapters_section(findings: Findings, probe: Probe | None, why_not: str) -> str:
    """The adapters' table beside the raw-pixel probe, and whether the backbone is usable."""
    titles = ["adapter", "rank", "scale", "seed", "trainable", "clean accuracy", "times the probe", "wrong under corruption", "flipped"]
    rows = [_adapter(findings, row, probe) for row in findings.adapters.to_dict("records")]
    rows.append(["all", "", "", "", "", "", "", *(shown(failed(findings.failures, what)) for what in ("wrong", "flipped"))])
    head = (
        f"n = {findings.n_meta:,} pictures of meta in every cell. Clean accuracy: Wilson; over the probe: bootstrap over pictures; wrong "
        "and flipped (right on clean, wrong here): shares over all corrupted rows, t over pictures. All intervals 95 %. Settings "
        f"`{findings.settings_ids['gold.adapter_summary']}`."
    )
    lines = [
        head,
        "",
        grid(titles, rows).rstrip(),
        "",
        _probe_text(findings, probe, why_not),
        "",
        f"**{verdict(findings, probe)}**",
    ]
    return "\n".join(lines)


def _adapter(findings: Findings, row: Mapping[Any, Any], probe: Probe | None) -> list[str]:
    clean = findings.clean[findings.clean["adapter_id"] == row["adapter_id"]]
    rows = findings.failures[findings.failures["adapter_id"] == row["adapter_id"]]
    size = "" if pd.isna(row["trainable_parameters"]) else f"{int(row['trainable_parameters']):,}"
    ratio = "–" if probe is None else shown(_ratio(clean, probe))
    return [
        str(row["name"]),
        *("" if pd.isna(row[name]) else f"{row[name]:.3g}" for name in ("rank", "update_scale", "seed")),
        size,
        shown(counted(int(clean["is_correct"].sum()), len(clean))),
        ratio,
        *(shown(failed(rows, what)) for what in ("wrong", "flipped")),
    ]


def _ratio(clean: pd.DataFrame, probe: Probe) -> Share:
    right = clean.set_index("example_id")["is_correct"].reindex(list(probe.ids))
    return times_the_probe(right.to_numpy(dtype=np.bool_), probe.right)


def _probe_text(findings: Findings, probe: Probe | None, why_not: str) -> str:
    if probe is None:
        return f"Raw-pixel linear probe: not computed, {why_not}."
    size = findings.scoring["preprocessing"]["size"]
    found = counted(int(probe.right.sum()), len(probe.right))
    return (
        f"Raw-pixel linear probe: {shown(found)} on the same {found.n:,} pictures: logistic regression on the {size} x {size} x 3 "
        f"normalised pixels, trained on the {probe.n_train:,} pictures of adapter_train, C = {probe.c:g} chosen on the {probe.n_val:,} "
        f"of adapter_val ({probe.val_accuracy:.3f} there)."
    )


def verdict(findings: Findings, probe: Probe | None) -> str:
    """Usable when every adapter reaches twice the probe on the same pictures, in part when some do, else unusable. Where twice the probe is
    more than 1, no model could: the rule says nothing."""
    if probe is None:
        return "No verdict on the backbone: there is no probe to hold it against."
    floor = FACTOR * probe.accuracy
    if floor > 1:
        return f"The rule does not apply: twice the probe's accuracy is {floor:.3f}, more than any model can reach."
    accuracies = {str(row["name"]): float(row["clean_accuracy"]) for row in findings.adapters.to_dict("records")}
    below = {name: value for name, value in accuracies.items() if value < floor}
    if not below:
        return f"Usable: every adapter reaches twice the probe ({floor:.3f}); the lowest has {min(accuracies.values()):.3f}."
    names = ", ".join(f"{name} {value:.3f}" for name, value in below.items())
    n, most = len(accuracies), max(accuracies.values())
    if len(below) == n:
        return f"Unusable: all {n} adapters stay below twice the probe ({floor:.3f}): {names}."
    return (
        f"Usable in part: {n - len(below)} of {n} adapters reach twice the probe ({floor:.3f}), the highest {most:.3f}; {len(below)} stay "
        f"below, by the backbone or by a recipe that is weak on purpose: {names}."
    )
