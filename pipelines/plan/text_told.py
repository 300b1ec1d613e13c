"""What does a person read of a priced plan for texts?"""

from __future__ import annotations

from typing import TextIO

from bronze.specs import EMBEDDINGS
from ood.specs import ATTACKED_TEXTS
from pipelines.plan.prior_costs import PriorCosts
from pipelines.plan.table_of_lines import write_lines
from pipelines.plan.text_costs import TextPlan
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, PREDICTIONS

STAGES = {
    "prediction": PREDICTIONS,
    "embedding": EMBEDDINGS,
    "explanations": ATTRIBUTIONS,
    "metrics": EXPLANATION_METRICS,
    "editing by all attacks": ATTACKED_TEXTS,
}


def write_text_costs(plan: TextPlan, stream: TextIO) -> None:
    """The table of stages, and what it rests on."""
    write_lines(plan.lines, stream)
    of = f" (Spark's parallelism is {plan.parallelism}, the cores are fewer)" if plan.parallelism > plan.workers else ""
    crowding = f"computing together each is {plan.costs.crowding:.2f} times slower than alone"
    stream.write(f"  {plan.workers} workers of one thread{of}; {crowding}\n")
    _write_stages(plan, stream)
    _write_training(plan, stream)
    _write_priors(plan.priors, stream)
    _write_forwards(plan, stream)
    if plan.stands_in:
        stream.write("  the backbone is not there yet: measured on one of its shape with random weights\n")
    stream.write("  counted and not timed: the baseline that tells attacks which class is mistaken for which, and reading keywords\n")
    bytes_from = ", ".join(plan.measured_bytes) or "no table"
    stream.write(f"  GB: {bytes_from} as the lake's rows of this dataset and these settings are; the rest from the columns' widths\n")


def _write_stages(plan: TextPlan, stream: TextIO) -> None:
    costs, n = plan.costs, len(plan.n_words)
    shown = ", ".join(f"{name} {_ms(costs.stages[table.full_name].seconds)}" for name, table in STAGES.items())
    stream.write(f"  ms a text on one thread, in batches of {plan.batch_size} (measured in {costs.seconds:.0f} s): {shown}\n")
    alone = ", ".join(f"{method} {_ms(pace.seconds)}" for method, pace in costs.methods.items())
    stream.write(f"  ms a text of each explanation alone (together they share what they ask): {alone}\n")
    if few := [name for name, pace in (*costs.stages.items(), *costs.methods.items()) if pace.n < n]:
        stream.write(f"  on fewer than the {n} tried texts, for want of --calibrate-seconds: {', '.join(few)}\n")


def _write_training(plan: TextPlan, stream: TextIO) -> None:
    trained = "; ".join(f"{shape} {_ms(pace.text)}" for shape, pace in plan.training.paces.items())
    on = f" on {plan.training.threads} threads (adapters.threads)" if plan.training.threads > 1 else ""
    stream.write(f"  ms a text and epoch of training{on}: {trained}\n")


def _write_forwards(plan: TextPlan, stream: TextIO) -> None:
    own, n = plan.size.forwards, len(plan.n_words)
    lengths = f"{n} tried texts of {sum(plan.n_words) / n:.1f} words"
    stream.write(f"  forwards a text and adapter, by their own rules for the {lengths}: explanations {own.attributions:.1f} ")
    stream.write(f"(a step of ig counts as one), metrics {own.metrics:.1f}\n")


def _write_priors(priors: PriorCosts, stream: TextIO) -> None:
    if priors.untimed:
        stream.write(f"  silver.priors is counted and not timed: {priors.untimed}\n")
    told = [f"{template}, {n} masks {_ms(pace.seconds)}" for (template, n), pace in priors.asked.items()]
    told += [] if priors.ig is None else [f"ig {_ms(priors.ig.seconds)}"]
    told += [] if priors.training is None else [f"training the label scorer, an epoch {_ms(priors.training)}"]
    if told:
        stream.write(f"  ms a text of priors: {'; '.join(told)}\n")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g}"
