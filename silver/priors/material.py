"""What does a training get from raw priors: one array per text, cut, scaled, fused, and made meaningless for the controls?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from lake.errors import ContractError
from lake.identity import rng
from models.text_recipe import PriorRecipe, Source
from models.text_training_data import Prior, TextTrainingSet
from silver.priors.words import words_of
from xai.priors import Fusion, fused, prior, random_prior, shuffled

Row = Mapping[str, Any]
Raw = Float64[NDArray[np.float64], "1 words"]
ADVICE = "Delete this generation of silver.priors and run again."


def training_priors(rows: Iterable[Row], examples: TextTrainingSet, how: PriorRecipe, seed: int) -> dict[str, Prior]:
    """Example id -> the prior that steers its training: per word a number >= 0, together of L2 norm 1, float32.

    `rows`: rows of silver.priors (example_id, source, target_id, values, words) of one generation per source; of other examples or
    sources nothing is read. `examples`: what is trained on, under the labels that are trained. Each source is clipped at 0 (not ig) and
    scaled, then all are fused by `how` (METHODS 5). The controls draw from (seed, example) alone: `shuffled` moves the fused numbers to
    other words, the same way for every prior of one seed; `random` reads no row. A text that a source has no row for (rejected) has no
    prior. Raises ContractError for a row twice, for another label or other words, of another length, not finite, or below 0 for ig.
    """
    found = _by_source(rows, examples, how.sources)
    made: dict[str, Prior] = {}
    for example_id, text in zip(examples.example_ids, examples.texts, strict=True):
        included = np.ones((1, len(words_of(text))), dtype=bool)
        if how.control == "random":
            values = random_prior([rng(seed, example_id, "random")], included)
        elif all(example_id in found[source] for source in how.sources):
            own: dict[str, Raw] = {source: prior(found[source][example_id], source, included) for source in how.sources}
            values = fused(own, Fusion(sources=how.sources, way=how.fusion), included)
            if how.control == "shuffled":
                values = shuffled(values, [rng(seed, example_id, "shuffled")], included)
        else:
            continue
        made[example_id] = values[0].astype(np.float32)
    return made


def _by_source(rows: Iterable[Row], examples: TextTrainingSet, sources: Sequence[Source]) -> dict[Source, dict[str, Raw]]:
    """Source -> example id -> its raw values, checked."""
    trained = {
        example_id: (words_of(text), label_id)
        for example_id, text, label_id in zip(examples.example_ids, examples.texts, examples.label_ids.tolist(), strict=True)
    }
    found: dict[Source, dict[str, Raw]] = {source: {} for source in sources}
    for row in rows:
        source, example_id = row["source"], row["example_id"]
        if source not in found or example_id not in trained:
            continue
        if example_id in found[source]:
            raise _broken(row, "one row per source", "two, so they are of different generations or scorers: give one of each")
        found[source][example_id] = _checked(row, *trained[example_id])
    return found


def _checked(row: Row, words: tuple[str, ...], label_id: int) -> Raw:
    if row["target_id"] != label_id:
        raise _broken(row, f"the prior of the label that is trained, {label_id}", f"{row['target_id']}. {ADVICE}")
    if len(row["values"]) != len(words) or tuple(row["words"]) != words:
        raise _broken(row, f"a number for each of the text's {len(words)} words", f"{len(row['values'])} for {row['words'][:5]}. {ADVICE}")
    values = np.array([row["values"]], dtype=np.float64)
    if not np.isfinite(values).all() or (row["source"] == "ig" and (values < 0).any()):
        raise _broken(row, "finite numbers, of ig 0 or more", f"{values[0].tolist()[:5]}. {ADVICE}")
    return values


def _broken(row: Row, must: str, found: str) -> ContractError:
    return ContractError(f"silver.priors: example {row['example_id']}, source {row['source']} must hold {must}, found {found}")
