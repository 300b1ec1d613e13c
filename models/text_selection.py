"""Which of the training texts does a choice take, and under which labels? Shares, shots and wrong labels, by hash and seed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from models.hashing import seed_of
from models.label_noise import with_wrong_labels
from models.text_recipe import Choice
from models.text_training_data import TextTrainingSet
from models.training_data import in_canonical_order, keep_share


@dataclass(frozen=True)
class Selection:
    """The examples as the training sees them, in canonical order. `short_labels`: labels with fewer examples than the shots asked for, or
    none; they keep what there is. `wrong_ids`: examples whose label was made wrong."""

    examples: TextTrainingSet
    short_labels: int
    wrong_ids: tuple[str, ...]


def selected(choice: Choice, train: TextTrainingSet, n_labels: int) -> Selection:
    """Share first, then shots, then wrong labels. Whatever else is computed for a training (priors, the twin) is computed on these, under
    these labels: nothing but the data's owner knows which are wrong. Raises ValueError for wrong labels where there is one label."""
    kept = keep_share(train, choice.train_share)
    short = 0
    if choice.shots is not None:
        kept, short = few_shot(kept, choice.shots, choice.shots_seed, n_labels)
    kept, wrong = with_wrong_labels(kept, choice.label_noise, choice.label_noise_seed, n_labels)
    return Selection(kept, short, wrong)


def few_shot(examples: TextTrainingSet, shots: int, seed: int, n_labels: int) -> tuple[TextTrainingSet, int]:
    """Of each label the `shots` examples whose ids hash lowest with the seed, in canonical order, and the number of labels that have
    fewer. Nested: with one seed, fewer shots are among more."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, label in enumerate(examples.label_ids.tolist()):
        places[label].append(place)
    ranked = (sorted(own, key=lambda i: seed_of("shots", seed, examples.example_ids[i]))[:shots] for own in places.values())
    kept = [place for own in ranked for place in own]
    short = sum(len(places[label]) < shots for label in range(n_labels))
    return in_canonical_order(examples.take(kept)), short
