"""What is asked of one dataset's exemplars, and under which identities? All of it is known before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lake.identity import settings_id
from silver.exemplars.settings import ExemplarSettings, HeadSettings
from silver.exemplars.specs import KNN
from silver.specs import PROVENANCE, Part

ENGINE = 1  # part of every identity: raise it with any change of a head, its training or the arithmetic of ranks and metrics


@dataclass(frozen=True)
class Head:
    """One head. `defining`: all that makes it what it is, of which `head_id` is the hash; `settings`: None for knn."""

    name: str
    variant: str
    settings: HeadSettings | None
    defining: dict[str, object]

    @property
    def head_id(self) -> str:
        return settings_id(self.defining)


@dataclass(frozen=True)
class ExemplarPlan:
    """`fingerprint`: hash of ids and labels of the `n_train` training examples. `examples_id`, `embeddings_id`: generations of bronze that
    are read. `folder`: of the dataset's heads."""

    dataset: str
    labels: tuple[str, ...]
    backbone: str
    examples_id: str
    embeddings_id: str
    settings: ExemplarSettings
    fingerprint: str
    n_train: int
    folder: Path

    @property
    def heads(self) -> tuple[Head, ...]:
        """knn, then those of the configuration."""
        return tuple(self._head(settings) for settings in (None, *self.settings.heads))

    @property
    def usable(self) -> tuple[Head, ...]:
        """Those whose training has not failed."""
        return tuple(head for head in self.heads if not failure_note(self.head_folder(head)).exists())

    @property
    def training_folder(self) -> Path:
        """Where the vectors that all heads know lie."""
        return self.folder / f"training-{self.embeddings_id}-{self.fingerprint[:16]}"

    def head_folder(self, head: Head) -> Path:
        return self.folder / head.head_id

    def exemplar_settings(self, head: Head) -> dict[str, object]:
        """What defines a head's rows of silver.exemplars. How many ranks are asked for is no part of it."""
        return {"engine": ENGINE, "head": head.head_id, "examples": self.examples_id, "withdrawn": sorted(set(self.settings.withdrawn))}

    def metric_settings(self, head: Head, predictions_id: str) -> dict[str, object]:
        """What defines a head's rows of group provenance."""
        return {
            "engine": ENGINE,
            "exemplars": settings_id(self.exemplar_settings(head)),
            "k": self.settings.k,
            "predictions": predictions_id,
        }

    def parts(self, predictions_id: str) -> tuple[Part, ...]:
        """The generations of group provenance, one per head that can be used."""
        return tuple(Part(PROVENANCE, settings_id(self.metric_settings(head, predictions_id)), head.name) for head in self.usable)

    def _head(self, settings: HeadSettings | None) -> Head:
        reads: dict[str, object] = {"engine": ENGINE, "embeddings": self.embeddings_id, "training": self.fingerprint}
        if settings is None:
            return Head(KNN, KNN, None, reads | {"variant": KNN})
        return Head(settings.name, settings.variant, settings, reads | {"head": settings.model_dump(mode="json")})


def failure_note(folder: Path) -> Path:
    """Where it is written down that training the head of this folder failed, and why. Removed, it is tried again."""
    return folder.with_name(folder.name + ".failed")
