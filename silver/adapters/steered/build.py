"""What are adapters trained on that an attribution prior steers: the texts with their priors, which are made first?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from lake.door import Lake
from lake.errors import ConfigError
from lake.fill import Inputs
from lake.identity import settings_id
from lake.ledger import Ledger
from models.adapter_labels import label_order
from models.adapters import read_adapter
from models.atomic import write_text
from models.merge import write_merged
from models.scored_adapter import ScoredAdapter
from models.text_recipe import TextRecipe
from models.text_scoring import TextScoring
from models.text_training_data import TextTrainingSet, text_fingerprint
from silver.adapters.material import SPLITS
from silver.adapters.offers import Zoo, failure_note
from silver.adapters.training.build import MARK, Data, trained_folders
from silver.priors.build import build_ig_priors, build_priors, priors_of
from silver.priors.jobs import Job, ig_jobs, jobs_of, twins
from silver.priors.twin import Twin
from silver.priors.work import Generation, PriorWork


def steered_data(
    lake: Lake, ledger: Ledger, inputs: Inputs, zoo: Zoo, plain: Data, recipes: Sequence[TextRecipe], train: bool
) -> tuple[dict[TextRecipe, Data], dict[Job, Generation]]:
    """For each of these `cap_hybrid` recipes the sets that it is trained on, and the generations of their priors. Scorers, silver.priors
    and the twins of IG priors are brought up to date first. `plain`: the same sets without priors. Raises ConfigError when a twin failed,
    or is missing and `train` is False."""
    scoring = zoo.scoring
    if not isinstance(scoring, TextScoring):
        raise ConfigError("priors steer the training of text adapters alone: use recipes of kind ce for pictures")
    examples, val = (TextTrainingSet.load(plain[0] / split) for split in SPLITS)
    work = PriorWork(zoo.dataset, zoo.labels, inputs.settings_id, examples, val, zoo.priors, zoo.artifacts)
    made = build_priors(lake, ledger, work, recipes)
    folders = trained_folders(lake, zoo, dict.fromkeys(twins(recipes), plain), train)
    trained = {job: _twin(zoo, scoring, folders[job.twin], job.twin.name) for job in ig_jobs(recipes)}
    made |= build_ig_priors(lake, ledger, work, recipes, scoring, trained)
    return {recipe: _with_priors(lake, zoo, scoring, work, recipe, made) for recipe in recipes}, made


def _twin(zoo: Zoo, scoring: TextScoring, folder: Path, name: str) -> Twin:
    if not folder.is_dir():
        note = failure_note(folder)
        code, why = json.loads(note.read_text(encoding="utf-8"))
        raise ConfigError(
            f"the twin {name}, whose gradients are the IG prior, could not be trained ({code}: {why}). Change its recipe, or delete {note} "
            "to try again"
        )
    adapter = read_adapter(folder, zoo.store, scoring.backbone, zoo.labels)
    merged = write_merged(adapter, scoring.backbone, "float32", zoo.artifacts / "merged")
    return Twin(adapter, ScoredAdapter(adapter.adapter_id, str(merged), label_order(adapter.labels, zoo.labels)))


def _with_priors(lake: Lake, zoo: Zoo, scoring: TextScoring, work: PriorWork, recipe: TextRecipe, made: Mapping[Job, Generation]) -> Data:
    """The sets of one recipe below the artifacts, known by the generations of their priors and by what is made of these."""
    generations = [vars(made[job]) for job in jobs_of(recipe)]
    chosen = recipe.model_dump(
        mode="json", include={"priors", "seed", "train_share", "shots", "shots_seed", "label_noise", "label_noise_seed"}
    )
    key = settings_id([work.examples_id, zoo.labels, list(work.train.example_ids), generations, chosen])
    folder = zoo.artifacts / "training" / f"{zoo.dataset}-{key}"
    mark = folder / MARK
    if mark.exists():
        return folder, mark.read_text(encoding="utf-8")
    train = work.train.with_priors(priors_of(lake, work, recipe, made))
    for split, examples in zip(SPLITS, (train, work.val), strict=True):
        if not (folder / split).exists():
            examples.save(folder / split)
    fingerprint = text_fingerprint(zoo.labels, scoring.fitted_buckets, train, work.val)
    write_text(mark, fingerprint)
    return folder, fingerprint
