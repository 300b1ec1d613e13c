"""Into which pieces is the study cut, each of which can be done, killed and done again by itself?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gold.provenance.arms import Arm
from gold.provenance.causes import aggregated, of_whole_net
from gold.provenance.figures import Record
from gold.provenance.generation import generation, with_bytes
from gold.provenance.judge import judged
from gold.provenance.pictures import Pictures, load
from gold.provenance.private import with_privacy
from gold.provenance.robust import with_differences
from gold.provenance.settings import ProvenanceSettings
from gold.provenance.verdicts import verdicts
from gold.provenance.wrong_labels import found_labels

Kind = Literal["arm", "mislabels", "whole_net", "generation"]
Told = dict[str, list[Record]]
FAILED = "failed"
READ_BY: dict[Kind, tuple[str, ...]] = {
    "arm": ("training", "epoch_examples", "resamples", "level"),
    "mislabels": ("training", "mislabels"),
    "whole_net": ("training", "causal"),
    "generation": ("generation",),
}


@dataclass(frozen=True)
class Task:
    """One network and seed, or one application, seed and `part` (share of wrong labels, ordinal of a test picture)."""

    kind: Kind
    arm: Arm
    seed: int
    part: float = 0.0

    def told(self) -> dict[str, Any]:
        return {"kind": self.kind, "arm": self.arm.model_dump(mode="json"), "seed": self.seed, "part": self.part}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Task:
        return cls(told["kind"], Arm.model_validate(told["arm"]), int(told["seed"]), float(told["part"]))

    def reads(self, settings: ProvenanceSettings) -> dict[str, Any]:
        """The settings that this task's records depend on."""
        own = list(READ_BY[self.kind])
        if self.kind == "arm" and settings.is_examined(self.arm):
            asked = set(settings.applications)
            own += ["attacks"] * ("robustness" in asked) + ["wrong_conditions"] * ("class_errors" in asked)
            own += ["causal"] * ("causal" in asked and self.arm == settings.arms[0].arm)
        told = {name: settings.model_dump(mode="json", include={name})[name] for name in own}
        if "causal" in told:
            told["causal"].pop("whole_net_examples")  # how many pieces there are, and no part of any
        return told

    def meets_shifts(self, settings: ProvenanceSettings) -> bool:
        """True where the records depend on how pictures of meta are corrupted."""
        return self.kind == "arm" and "robustness" in settings.applications and settings.is_examined(self.arm)


def tasks_of(settings: ProvenanceSettings) -> list[Task]:
    """All pieces of the study: networks, large subsets first, then what is asked of the first arm."""
    first = settings.arms[0].arm
    found = [Task("arm", arm, seed) for arm, seed in sorted(settings.tasks(), key=lambda task: -task[0].subset)]
    if "mislabels" in settings.applications:
        found += [Task("mislabels", first, seed, share) for share in settings.mislabels.shares for seed in settings.seeds]
    if "generation" in settings.applications:
        found += [Task("generation", first, seed) for seed in settings.seeds]
    if "causal" in settings.applications:
        found += [Task("whole_net", first, settings.seeds[0], part) for part in range(settings.causal.whole_net_examples)]
    return found


def perform(task: Task, path: Path, settings: ProvenanceSettings) -> Told:
    """The records of one piece, by table; where it cannot be done (one class, too few examples, weights that are no numbers), why not."""
    try:
        return _performed(task, load(path), settings)
    except ValueError as error:
        return {FAILED: [{"reason": str(error)}]}


def _performed(task: Task, pictures: Pictures, settings: ProvenanceSettings) -> Told:
    if task.kind == "mislabels":
        return {"provenance_mislabels": found_labels(task.arm, task.seed, task.part, pictures, settings)}
    if task.kind == "whole_net":
        return {"causes": of_whole_net(task.arm, task.seed, int(task.part), pictures, settings)}
    if task.kind == "generation":
        return generation(task.seed, pictures, settings)
    return judged(task.arm, task.seed, pictures, settings)


def rows_of(told: Mapping[Task, Mapping[str, list[Record]]], settings: ProvenanceSettings) -> Told:
    """The rows of every table, from the records of all pieces."""
    rows: Told = {}
    failed: list[Record] = []
    for task, one in told.items():
        failed += [_failed(task, str(record["reason"])) for record in one.get(FAILED, [])]
        for table in one.keys() - {FAILED}:
            rows.setdefault(table, []).extend(one[table])
    rows["provenance_summary"] = with_privacy(rows.get("provenance_summary", []))
    rows["provenance_robustness"] = with_differences(rows.get("provenance_robustness", []))
    rows["provenance_causal"] = aggregated(rows.pop("causes", []), settings.level)
    rows["provenance_generated"] = with_bytes(rows.get("provenance_generated", []))
    rows["provenance_verdict"] = [*verdicts(rows, settings), *failed]
    return rows


def _failed(task: Task, reason: str) -> Record:
    """What gold.provenance_verdict says of a piece that could not be done: nothing vanishes."""
    named = ", ".join(f"{name} {value}" for name, value in task.arm.model_dump(exclude_defaults=True).items()) or "the default"
    record: Record = dict.fromkeys(("value", "against_value", "difference", "ci_low", "ci_high", "verdict"))
    question = f"{task.kind} of seed {task.seed}, part {task.part:g}, could not be done"
    return (
        record
        | {"question": question, "variant": named, "against": "", "sentence": f"{question}: {reason}", "n_seeds": 0, "n": 0}
        | {"reason": reason}
    )
