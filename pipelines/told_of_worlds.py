"""What do the probe worlds say, on one screen, for a person?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TextIO

import pandas as pd

from gold.inversion.build import dataset_of
from gold.inversion.settings import DOMAINS
from gold.inversion.tables.inversion_summary import SPEC as SUMMARY
from gold.inversion.tables.inversion_verdict import ALL, CONTROLS, FORM, LAM
from gold.inversion.tables.inversion_verdict import SPEC as VERDICT
from lake.spec import Table

Read = Callable[[Table, str], pd.DataFrame]
NOTE = (
    "is an explanation used, or told afterwards? R: it moves with the output; F: it names the units whose removal moves the output; IS of "
    "both, which is never read alone:\n  an exact explanation of a product has 0.707, a random one about 0.60"
)


def tell(read: Read, worlds: Sequence[str], stream: TextIO) -> None:
    """Prints a table of R, F and IS per world and model, controls last, and the verdict on Reproduce-by-Poking. `read` gives a table's rows
    of one dataset. Nothing without worlds."""
    if not worlds:
        return
    stream.write(f"\n{NOTE}\n")
    for world in worlds:
        summary, verdict = (read(table, dataset_of(world)) for table in (SUMMARY, VERDICT))
        for (domain, model), rows in summary.groupby(["domain", "model"], sort=True):
            n_seeds, n = rows["seed"].nunique(), int(rows["n"].max())
            score = rows.drop_duplicates("seed")["model_score"].mean()
            stream.write(
                f"\n  {world} ({domain}), {model} (score {score:.3f}): {n} examples, {n_seeds} {'seed' if n_seeds == 1 else 'seeds'}\n"
            )
            text = _table(rows).to_string(index=False, float_format=lambda number: f"{number:.3f}", na_rep="–")
            stream.write("\n".join("    " + line for line in text.splitlines()) + "\n")
            for row in verdict[(verdict["model"] == model) & (verdict["explainer"] == ALL)].to_dict("records"):
                stream.write(f"    {row['sentence']}\n")
    for row in read(VERDICT, DOMAINS).sort_values("domain").to_dict("records"):
        stream.write(f"\n  {row['domain']}, over its trained models: {row['sentence']}\n")


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """One line per method, means over seeds; controls last."""
    plain = rows[rows["refined"] == "none"]
    most = plain["psi"].max()
    refined = rows[(rows["refined"] == FORM) & (rows["lam"] == LAM)]
    untouched, tempted = (part.groupby("explainer") for part in (plain[plain["slot"] == "untouched"], plain[plain["psi"] == most]))
    after = refined[refined["slot"] == "untouched"].groupby("explainer")
    found = pd.DataFrame(
        {
            "R": untouched["reliance"].mean(),
            "F": untouched["faithfulness"].mean(),
            "IS": untouched["inversion_score"].mean(),
            "R-oracle": untouched["reliance_over_oracle"].mean(),
            "IS poked": after["inversion_score"].mean(),
            f"rise at psi {most:g}": tempted["delta_inversion_score"].mean(),
            "share of slot": tempted["spurious_share"].mean(),
            "of true units": untouched["true_unit_share"].mean(),
        }
    ).reset_index(names="method")
    order = [CONTROLS.index(name) if name in CONTROLS else -1 for name in found["method"]]
    return found.assign(order=order).sort_values(["order", "method"]).drop(columns="order")
