"""What do the networks' own figures say: variants, one factor at a time, sharing, subsets, the source's figures, costs?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import provenance_words as words
from docs_markdown import grid
from provenance_figures import NOTHING, Figure, cell, counted, listed, over_seeds, side, signed, span, word
from provenance_networks import (
    CONDITIONAL,
    FIGURES,
    Network,
    apart,
    changes,
    figure,
    neighbours,
    table,
    twin,
    usual,
    variants,
    varied,
)
from provenance_read import Study

LEVELS = ("I", "II", "III", "IV")
SIZES = ("small", "medium", "large", "x_large")


def verdicts_part(study: Study) -> str:
    """Every sentence of gold.provenance_verdict, and how many say what."""
    rows = study.rows("verdict")
    if rows.empty:
        return ""
    said = rows["verdict"].value_counts()
    counts = {name: int(said.get(name, 0)) for name in ("better", "worse", "no_evidence")}
    none = int(rows["verdict"].isna().sum())
    told = f"Of {counted(len(rows), 'comparison')}, "
    told += f"{counts['better']} say better, {counts['worse']} worse, {counts['no_evidence']} no evidence"
    told += f", {none} without an interval." if none else "."
    ordered = rows.sort_values(["question", "variant", "against"])
    return words.VERDICTS.format(name=study.dataset, counts=told) + "".join(f"- {sentence}\n" for sentence in ordered["sentence"])


def variants_part(study: Study) -> str:
    """The table of variants, kNN over their features beside them; then the same with all pictures, where those were trained."""
    nets = study.nets
    if nets.empty:
        return ""
    network = usual(nets)
    found = variants(nets, network) | neighbours(nets, network)
    rows = pd.concat(found.values())
    told = words.VARIANTS.format(
        name=study.dataset, n_train=span(rows["n_train"]), n=span(rows["n"]), epochs=span(rows["epochs"]), usual=described(network)
    )
    parts = [told + table("network", found)]
    whole = variants(nets, network, subset=1.0) | neighbours(nets, network, subset=1.0)
    if whole and network["subset"] != 1.0:
        parts.append(f"With all {span(pd.concat(whole.values())['n_train'])} training pictures:\n\n{table('network', whole)}")
    return "\n".join(parts)


def described(network: Network) -> str:
    """The factors of a network in words."""
    return (
        f"size {network['model_size']}, subset {network['subset']:.0%} ({network['selection']}), alpha {network['alpha']:g}, sharing "
        f"{network['sharing_level']}, lambda_class {network['lambda_class']:g}, lambda_index {network['lambda_index']:g}"
    )


def factor_parts(study: Study) -> list[str]:
    """One part for each factor that took more than one value."""
    nets = study.nets
    if nets.empty:
        return []
    network = usual(nets)
    parts = []
    for factor, (title, symbol, note) in words.FACTORS.items():
        found = varied(nets, network, factor)
        if len(found) > 1:
            head = f"### {study.dataset}: {title}\n\n" + (f"{note}\n\n" if note else "")
            shown = {_value(value): rows for value, rows in found.items()}
            parts.append(head + table(symbol, shown) + "\n" + against(symbol, found, network[factor]))
    return parts


def against(symbol: str, found: Mapping[Any, pd.DataFrame], base: Any) -> str:
    """A line for each other value: what changes against the base, paired by seed."""
    lines = [f"- {symbol} {_value(value)}: {changes(rows, found[base])}.\n" for value, rows in found.items() if value != base]
    return f"Against {symbol} {_value(base)}:\n\n{''.join(lines)}" if base in found and lines else ""


def sharing_part(study: Study) -> str:
    """Levels of sharing by model size, and where a figure is lower than at the least sharing."""
    nets = study.nets
    if nets.empty:
        return ""
    network = usual(nets)
    found = {
        (size, level): rows for size in SIZES for level in LEVELS if len(rows := twin(nets, network, model_size=size, sharing_level=level))
    }
    if len(found) < 2:
        return ""
    head = words.SHARING.format(name=study.dataset) + table(
        "size, level", {f"{size}, {level}": rows for (size, level), rows in found.items()}
    )
    return "\n".join([head, *_interference(found)])


def _interference(found: Mapping[tuple[str, str], pd.DataFrame]) -> list[str]:
    lines, sides = [], dict[str, dict[int, list[str]]]()
    judged = 0
    for size in dict.fromkeys(size for size, _ in found):
        levels = [level for one, level in found if one == size]
        for level in levels[1:]:
            rows, base = found[size, level], found[size, levels[0]]
            lines.append(f"- {size}, level {level} against {levels[0]}: {changes(rows, base)}.\n")
            for name, column in FIGURES.items():
                one = apart(rows, base, column)
                where = None if one is None else side(one.low, one.high)
                if where is not None:
                    judged += 1
                    sides.setdefault(name, {}).setdefault(where, []).append(f"{size} at {level}")
    if not lines:
        return []
    told = "".join(lines)
    if not judged:
        return [told, "No level was trained with two seeds in common with the least sharing of its size: no verdict.\n"]
    lower, higher = (
        "; ".join(f"{name}: {listed(places[where])}" for name, places in sides.items() if where in places) for where in (-1, 1)
    )
    seen = f"Sharing is seen to interfere: {lower or 'nowhere'}. It is seen to help: {higher or 'nowhere'}."
    return [told, f"{seen} Of these {judged} intervals {judged / 20:.1f} would leave out 0 by chance if nothing differed.\n"]


def subset_part(study: Study) -> str:
    """Shares of the training pictures, beside what the source saw."""
    nets = study.nets
    if nets.empty:
        return ""
    network = usual(nets)
    found = varied(nets, network, "subset")
    if len(found) < 2:
        return ""
    everything = max(int(rows["n_train"].max()) / share for share, rows in found.items())
    shown = {f"{share:.0%}, {span(rows['n_train'])} pictures": rows for share, rows in found.items()}
    parts = [
        words.SUBSET.format(name=study.dataset, n=f"{round(everything):,}") + table("subset", shown),
        "".join(
            f"- {share:.0%} against {network['subset']:.0%}: {changes(rows, found[network['subset']])}.\n"
            for share, rows in found.items()
            if share != network["subset"]
        ),
        fall(found),
    ]
    return "\n".join(part for part in parts if part)


def fall(found: Mapping[float, pd.DataFrame]) -> str:
    """The source's fall of top-1 index accuracy beside ours; nothing where one of the two subsets is lacking."""
    (first, before), (second, after) = words.SOURCE_TOP1
    if first not in found or second not in found:
        return ""
    ours = [figure(found[share], "top1_index") for share in (first, second)]
    one = apart(found[second], found[first], "top1_index")
    if one is None or ours[0] is None or ours[1] is None:
        return ""
    said = {
        "lower": "it falls here too", "higher": "here it rises", "no verdict": "one seed, no verdict",
        "not seen to differ": "a change is not seen here",
    }[word(one)]  # fmt: skip
    sizes = [span(found[share]["n_train"]) for share in (first, second)]
    told = words.SOURCE_FALL.format(before=before, first=first, after=after, second=second)
    return (
        f"{told} Here it goes from {ours[0].mean:.3f} with {sizes[0]} pictures to {ours[1].mean:.3f} with {sizes[1]}, "
        f"{signed(one)} over {counted(one.pairs, 'seed')}: {said}.\n"
    )


def reached_part(study: Study) -> str:
    """The source's figures beside ours, and whether they are reached; of the source's own data set alone."""
    nets = study.nets
    if nets.empty or study.dataset != words.SOURCE_ON:
        return ""
    network = usual(nets)
    rows, both = [], dict[str, list[str]]()
    for share in sorted({network["subset"], 1.0}):
        for name, found in variants(nets, network, subset=share).items():
            n, index = span(found["n_train"]), figure(found, "top5_index")
            if index is None:
                continue
            known, meta = figure(found, "class_accuracy_train"), figure(found, "class_accuracy")
            told = [reached(known, words.SOURCE_ACCURACY), reached(meta, words.SOURCE_ACCURACY), reached(index, words.SOURCE_INDEX)]
            rows.append([f"{name}, {n}", cell(known), told[0], cell(meta), told[1], cell(index), told[2]])
            both.setdefault(n, []).extend([name] if told[0] == told[2] == REACHED else [])
    if not rows:
        return ""
    at = f"{words.SOURCE_ACCURACY:.0%}"
    titles = ["network, pictures", "class, training", at, "class, meta", at, "top-5 index", f"{words.SOURCE_INDEX:.0%}"]
    said = "".join(
        f"- {n} pictures: both figures on training inputs are reached by {listed(names, 'no network')}.\n" for n, names in both.items()
    )
    for share in sorted({network["subset"], 1.0}):
        plain = twin(nets, network, "plain", subset=share)
        if len(plain):
            own = cell(figure(plain, "class_accuracy"))
            said += f"- {span(plain['n_train'])} pictures: the plain classifier, which has no index head, has {own} on meta.\n"
    head = words.REACHED.format(
        name=study.dataset,
        accuracy=words.SOURCE_ACCURACY,
        index=words.SOURCE_INDEX,
        n=f"{round(float((nets['n_train'] / nets['subset']).max())):,}",
    )
    return head + grid(titles, rows) + f"\n{said}"


REACHED = "reached"


def reached(found: Figure | None, floor: float) -> str:
    """Reached where the whole interval is at the floor or above it, not where it is below; else what the mean says."""
    if found is None:
        return NOTHING
    if found.low >= floor:
        return REACHED
    if found.high < floor:
        return "not reached"
    return "reached by the mean alone" if found.mean >= floor else "not reached by the mean"


def costs_part(study: Study) -> str:
    """Slots, parameters and seconds of every network that differs from the usual one by variant, size or subset."""
    nets = study.nets
    if nets.empty:
        return ""
    network = usual(nets)
    groups = variants(nets, network) | {f"{size}, {CONDITIONAL}": twin(nets, network, model_size=size) for size in SIZES}
    groups |= {f"{share:.0%}, {CONDITIONAL}": rows for share, rows in varied(nets, network, "subset").items() if share != network["subset"]}
    groups |= {f"all, {name}": rows for name, rows in variants(nets, network, subset=1.0).items() if name != CONDITIONAL}
    groups |= neighbours(nets, network)
    lines = [
        [name, span(rows["n_train"]), span(rows["slots"]), span(rows["parameters"]), f"{rows['seconds'].mean():,.1f}"]
        for name, rows in groups.items()
        if len(rows) and name != f"{network['model_size']}, {CONDITIONAL}"
    ]
    head = words.COSTS.format(name=study.dataset)
    return head + grid(["network", "training pictures", "slots", "parameters", "seconds"], lines) + slots_told(nets)


def slots_told(nets: pd.DataFrame) -> str:
    """The true size of class-conditional heads, for each number of training pictures."""
    own = nets[nets["variant"] == CONDITIONAL].groupby("n_train")["slots"].max()
    parts = [f"{int(slots):,} for {int(str(n)):,} pictures" for n, slots in own.items()]
    return f"\nThe class-conditional head has at most {listed(parts)}.\n" if parts else ""


def epochs_told(study: Study) -> str:
    """The last epoch's figures, of the variants that are drawn."""
    parts = []
    for name, rows in drawn(study).items():
        last = rows[rows["epoch"] == rows["epoch"].max()]
        seen = [cell(over_seeds(last[column], int(last["n"].max()))) for column in ("class_accuracy", "top5_index")]
        parts.append(
            f"- {study.dataset}, {name}: class accuracy {seen[0]}, top-5 index {seen[1]} after epoch {int(rows['epoch'].max())}.\n"
        )
    return "".join(parts)


def drawn(study: Study) -> dict[str, pd.DataFrame]:
    """Rows of gold.provenance_epochs of every variant of the usual network."""
    rows = study.rows("epochs")
    return {} if rows.empty or study.nets.empty else variants(rows, usual(study.nets))


def _value(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"
