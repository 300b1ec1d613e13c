"""A finished lake of texts made by hand, without Spark: what the results page reads of it, two trainings and three texts of meta, of which
the last was shifted by an earlier run alone: gold judged two."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bronze.specs import EXAMPLES, REJECTED
from gold.tables import (
    adapter_summary,
    cap_hybrid_arms,
    cap_hybrid_training,
    classifier_comparison,
    correlations,
    degradation,
    prior_correlations,
    prior_homogeneity,
    prior_precision,
    prior_top_words,
    rank_effect,
    worst_corruption,
)
from lake.audit import CELLS, RUNS, SETTINGS_OF
from lake.audit import REJECTED as REFUSED
from lake.identity import canonical_json
from lake.spec import Table
from ood.specs import ATTACKED_TEXTS
from ood.specs import PREDICTIONS as OOD
from pipelines.config import load_config
from silver.specs import ADAPTERS, EXPLANATION_METRICS, PREDICTIONS, PRIORS
from tests.small_lake import write_table

ROOT = Path(__file__).resolve().parents[1]
NAME, SETTINGS, GOLD = "intents", "5" * 16, "6" * 16
MODEL = "f" * 32
LEARNED = {"plain": "none", "cap": "cap"}  # adapter id -> arm
META = ("m1", "m2", "m3")
# (adapter, text, attack) -> right; clean is `none`
RIGHT = {("plain", "m1", "none"), ("plain", "m2", "none"), ("plain", "m1", "typos"), ("cap", "m1", "none"), ("cap", "m1", "typos")}


def write_text_lake(root: Path, config: str) -> None:
    """The lake at `root`; its run says it came from a configuration of configs/."""
    write_examples(root)
    write_silver(root)
    write_ood(root)
    write_gold(root)
    write_audit(root, canonical_json(load_config(ROOT / "configs" / config)))


def own(table: Table, settings_id: str = SETTINGS, **columns: Any) -> dict[str, Any]:
    """A row with dataset and settings; columns that are not given are null, but those that must not be hold something of their type."""
    needed = {"string": "x", "double": 0.5, "bigint": 1, "int": 1, "boolean": True}
    filled = {column.name: needed.get(column.type, []) for column in table.columns if not column.nullable}
    return filled | {"dataset": NAME, "settings_id": settings_id} | columns


def write_examples(root: Path) -> None:
    texts = {"t1": ("adapter_train", 0), "t2": ("adapter_train", 1), "v": ("adapter_val", 0), "m1": ("meta", 0), "m2": ("meta", 1)}
    texts |= {"m3": ("meta", 1)}
    rows = [
        own(EXAMPLES, example_id=name, split=split, label_id=label, label=f"l{label}", modality="text", text=name)
        for name, (split, label) in texts.items()
    ]
    outside = own(EXAMPLES, example_id="o", split="outside", label_id=2, label="of no class", modality="text", text="o")
    write_table(root, EXAMPLES, [*rows, outside])
    write_table(root, REJECTED, [own(REJECTED, source_path="p", stage="read", error_code="empty_text")])


def write_silver(root: Path) -> None:
    recipe = {"name": "r", "rank": 4, "use_dora": False}
    steered = recipe | {"kind": "cap_hybrid", "priors": {"sources": ["cap"]}}
    settings = {"plain": recipe, "cap": steered}
    rows = [own(ADAPTERS, adapter_id=a, name=a, rank=4, update_scale=4.0, seed=0, recipe_settings=json.dumps(settings[a])) for a in LEARNED]
    write_table(root, ADAPTERS, rows)
    for table in (PREDICTIONS, EXPLANATION_METRICS):
        write_table(root, table, [own(table, adapter_id=a, example_id=m) for a in LEARNED for m in META])
    ours = own(PRIORS, example_id="t1", source="cap", scorer=MODEL, target_id=0, values=[1.0], words=["t"], whole_p=0.75, clipped_share=0.0)
    older = ours | {"settings_id": "0" * 16, "whole_p": 0.1}
    write_table(root, PRIORS, [ours, older])


def write_ood(root: Path) -> None:
    cells = [(a, m, attack) for a in LEARNED for m in META for attack in ("none", "typos")]
    rows = [
        own(OOD, adapter_id=a, example_id=m, corruption=attack, severity=int(attack != "none"), is_correct=(a, m, attack) in RIGHT)
        for a, m, attack in cells
    ]
    write_table(root, OOD, rows)
    edited = [own(ATTACKED_TEXTS, example_id=m, attack="typos", severity=1, is_edited=m != "m2", keeps_label=None) for m in META]
    write_table(root, ATTACKED_TEXTS, edited)


def gold_row(table: Table, **columns: Any) -> dict[str, Any]:
    return own(table, GOLD, **columns)


def write_gold(root: Path) -> None:
    def write(module: Any, *rows: dict[str, Any]) -> None:
        write_table(root, module.SPEC, [gold_row(module.SPEC, **row) for row in rows])

    clean = {"plain": 1.0, "cap": 0.5}
    write(adapter_summary, *({"adapter_id": a, "n": 2, "n_examples": 2, "clean_accuracy": clean[a]} for a in LEARNED))
    typos = [{"adapter_id": a, "corruption": "typos", "severity": 1, "accuracy": 0.5, "n": 2} for a in LEARNED]
    calm = [{"adapter_id": a, "corruption": "none", "severity": 0, "accuracy": clean[a], "n": 2} for a in LEARNED]
    write(degradation, *calm, *typos)
    figures = {"pearson_r": 0.5, "pearson_ci_low": 0.1, "pearson_ci_high": 0.9, "n": 4, "n_examples": 2}
    scopes = ("pooled", "within_adapter")
    write(correlations, *({"method": "attention", "feature": "entropy", "scope": scope, **figures} for scope in scopes))
    write(classifier_comparison, {"protocol": "grouped", "model": "XGBoost", "n": 0, "reason": "too few rows"})
    write(worst_corruption, {"adapter_id": "cap", "corruption": "typos", "rank": 1, "drop_from_clean": 0.0, "n": 2})
    write(rank_effect, {"rank": 4, "update_scale": 4.0, "ood_accuracy": 0.5, "n_adapters": 2, "n": 4})
    choice = {"setting": "full", "shots_seed": 0, "label_noise_seed": 0, "n_perturbations": 100, "scorer": MODEL, "n": 2}
    write(
        prior_correlations, {**choice, "source_a": "cap", "source_b": "lime", "pearson_r": 0.25, "spearman_r": 0.5, "top10_overlap": 0.75}
    )
    pair = {"label_a": "l0", "label_b": "l1", "confusions": 1, "shared_mass": 0.5, "discriminating_mass": 0.25}
    write(prior_homogeneity, {**choice, "source": "cap", **pair})
    write(prior_precision, {**choice, "source": "cap", "precision_at_k": 0.625, "chance": 0.125})
    write(prior_top_words, {**choice, "source": "cap", "label": "l0", "rank": 1, "word": "tea", "score": 0.375})
    write_arms(write)


def write_arms(write: Any) -> None:
    """One training per arm, and logistic regression."""
    plain = {"setting": "full", "fusion": "none", "beta": 0.0, "n_perturbations": 0, "scorer": "none", "ig_steps": 0}
    arms = {
        "none": plain | {"tuning": "lora", "variant": "v", "scorer_name": "none"},
        "cap": plain | {"tuning": "lora", "variant": "v", "fusion": "mean", "beta": 1.0, "n_perturbations": 100, "ig_steps": 8},
        "logistic_regression": plain | {"tuning": "none", "variant": "none", "scorer_name": "none"},
    }
    arms["cap"] |= {"scorer": MODEL, "scorer_name": "/a/machine/llama-8b", "leaky_prior": True}
    accuracy = {"none": 1.0, "cap": 0.5, "logistic_regression": 0.75}
    adapter = {arm: adapter for adapter, arm in LEARNED.items()}
    more = {"seed": 0, "shots_seed": 0, "label_noise_seed": 0, "n_train": 2, "pair_id": "p", "n": 2}
    for arm, about in arms.items():
        seconds = 30.0 if arm in adapter else None
        own_row = {"adapter_id": adapter.get(arm, "none"), "priors": arm, "accuracy": accuracy[arm], "seconds": seconds, **more, **about}
        write(cap_hybrid_training, own_row)
        over = {"over_none": -0.5, "n_pairs_none": 1} if arm == "cap" else {}
        shown = {key: value for key, value in about.items() if key != "scorer_name"} | {"scorer": about["scorer_name"]}
        write(
            cap_hybrid_arms,
            {**shown, "priors": arm, "metric": "accuracy", "direction": "higher", "mean": accuracy[arm], "n_seeds": 1, **over},
        )


def write_audit(root: Path, config: str) -> None:
    per_adapter = (ADAPTERS, PREDICTIONS, EXPLANATION_METRICS, OOD)
    cell = {"corruption": "*", "severity": 0, "inputs_sha256": "i", "n_expected": 1, "n_done": 1, "generation": 1}
    cells = [own(CELLS, table_name="bronze.examples", adapter_id="*", **cell)]
    cells += [own(CELLS, table_name=table.full_name, adapter_id=a, **cell) for table in per_adapter for a in LEARNED]
    write_table(root, CELLS, cells)
    scoring = {"dtype": "float32", "batch_size": 2, "buckets": [8], "backbone_sha256": "b" * 64}
    judged = {"group": "default_text", "settings": {}, "text": {"priors": [[SETTINGS, MODEL, "llama-8b", "cap"]]}}
    judged["settings"] = {"method": "attention"}
    behind = [("silver.predictions", SETTINGS, scoring), ("gold.correlations", GOLD, judged)]
    write_table(root, SETTINGS_OF, [own(SETTINGS_OF, i, table_name=name, settings=json.dumps(found)) for name, i, found in behind])
    run = {"run_id": "r1", "command": "run", "dataset": NAME, "config_sha256": "c" * 64, "config": config, "verdict": "done"}
    write_table(root, RUNS, [run | {"versions": [("torch", "9.9")], "seconds": 12.0, "started_at": datetime(2026, 1, 2, tzinfo=UTC)}])
    write_table(root, REFUSED, [own(REFUSED, table_name="ood.predictions", key="k", error_code="nonfinite")])
