"""Which adapters are offered to a dataset, and can each be used? Reads and judges folders; knows no Spark."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake.errors import MissingInputError
from lake.identity import canonical_json, content_id, settings_id
from models.scored_adapter import ScoredAdapter
from models.scoring import Scoring
from models.text_scoring import TextScoring
from silver.adapters.material import Material, Part
from silver.adapters.pictures import Pictures
from silver.adapters.texts import TextMaterial
from silver.priors.settings import PriorSettings
from silver.settings import AdapterSettings

if TYPE_CHECKING:
    from lake.fill import Inputs
    from models.adapters import Adapter


@dataclass(frozen=True)
class Zoo:
    """All that decides which adapters a dataset has. `artifacts` is a folder every worker can reach; `guest`: one more adapter's own."""

    dataset: str
    labels: tuple[str, ...]
    scoring: Scoring | TextScoring
    settings: AdapterSettings
    artifacts: Path
    priors: PriorSettings = field(default_factory=PriorSettings)
    guest: Path | None = None

    @property
    def store(self) -> Path:
        return self.artifacts / "adapters" / self.dataset

    @property
    def material(self) -> Material:
        """What recipes are trained on."""
        return material_of(self.scoring, self.labels)

    def settings_id(self, inputs: Inputs) -> str:
        return settings_id(self.adapter_settings(inputs))

    def adapter_settings(self, inputs: Inputs) -> dict[str, object]:
        """What an adapter's row depends on besides the adapter."""
        return {"backbone_sha256": self.scoring.backbone.sha256, "labels": self.labels, "examples": inputs.settings_id}


def material_of(scoring: Scoring | TextScoring, labels: tuple[str, ...]) -> Material:
    """What is collected and trained on for this kind of scoring."""
    if isinstance(scoring, TextScoring):
        return TextMaterial(labels, scoring.fitted_buckets, scoring.backbone)
    return Pictures(labels, scoring.limits, scoring.preprocessing, scoring.backbone)


def training_folder(artifacts: Path, inputs: Inputs, material: Material, part: Part) -> Path:
    """Where the training examples are collected."""
    return artifacts / "training" / f"{inputs.dataset}-{settings_id([inputs.sha256, *material.identity(part)])}"


@dataclass(frozen=True)
class Offer:
    """One adapter folder that was offered: where it is, which root it may not leave, under which name it is known."""

    folder: Path
    root: Path
    name: str


def foreign_offers(folders: Sequence[str]) -> list[Offer]:
    offers = []
    for root in map(Path, folders):
        if not root.is_dir():
            raise MissingInputError(f"adapters.folders: {root} is not a folder; correct the path or remove the entry")
        offers += [Offer(path, root, path.name) for path in sorted(root.iterdir()) if _offered(path)]
    return offers


def _offered(path: Path) -> bool:
    """Folders and links; hidden ones (.git, .cache) are other programs' own."""
    return (path.is_dir() or path.is_symlink()) and not path.name.startswith(".")


def judge(offer: Offer, zoo: Zoo, known: set[str]) -> tuple[dict[str, Any], ScoredAdapter | None]:
    """One row of silver.adapters, and the adapter as workers need it where it can be used."""
    from models.adapter_labels import label_order
    from models.adapters import read_adapter
    from models.errors import ArtifactError
    from models.merge import write_merged
    from models.probe import probe

    failed = failure_note(offer.folder)
    try:
        if offer.root == zoo.store and failed.exists():
            raise ArtifactError(*json.loads(failed.read_text(encoding="utf-8")))
        adapter = read_adapter(offer.folder, offer.root, zoo.scoring.backbone, zoo.labels, zoo.settings.labels)
        merged = write_merged(adapter, zoo.scoring.backbone, "float32", zoo.artifacts / "merged")
        status, notes = "ready", adapter.notes
        if adapter.adapter_id not in known:
            found = probe(adapter, zoo.scoring.backbone, merged)
            status, notes = found.status, (*notes, *found.notes)
    except ArtifactError as error:
        return _refused(offer, zoo, error.code, error.message), None
    except OSError as error:
        return _refused(offer, zoo, "not_a_file", f"cannot be read: {error.strerror or type(error).__name__}"), None
    order = label_order(adapter.labels, zoo.labels)
    return _row(adapter, offer, zoo, status, notes), ScoredAdapter(adapter.adapter_id, str(merged), order)


def _row(adapter: Adapter, offer: Offer, zoo: Zoo, status: str, notes: Sequence[str]) -> dict[str, Any]:
    own = {
        name: getattr(adapter, name) for name in ("adapter_id", "rank", "use_dora", "use_rslora", "seed", "recipe_sha256", "weights_sha256")
    }
    alpha, scale = adapter.alpha, None
    if adapter.rank is not None and alpha is not None:  # None for a model that was trained and saved whole
        scale = float(alpha / (adapter.rank**0.5 if adapter.use_rslora else adapter.rank))
    return own | {
        "name": offer.name,
        "folder": str(offer.folder),
        "backbone": zoo.scoring.backbone.name,
        "recipe": (adapter.recipe or {}).get("kind"),
        "alpha": None if alpha is None else float(alpha),
        "update_scale": scale,
        "trainable_parameters": adapter.trainable_parameters,
        "trainable_share": adapter.trainable_share,
        "labels": list(adapter.labels),
        "status": status,
        "reason": ", ".join(notes) or None,
        "recipe_settings": None if adapter.recipe is None else canonical_json(adapter.recipe),
        **{name: adapter.metrics.get(name) for name in ("train_loss", "eval_loss", "accuracy", "f1", "precision", "recall", "minutes")},
    }


def _refused(offer: Offer, zoo: Zoo, code: str, message: str) -> dict[str, Any]:
    """A folder whose content cannot be identified is known by the hash of its path; another reason is another row."""
    own = offer.folder.name if offer.root == zoo.store else str(offer.folder)
    return {
        "adapter_id": content_id("rejected adapter", f"{own}\0{code}".encode("utf-8", "backslashreplace")),
        "name": offer.name,
        "folder": str(offer.folder),
        "backbone": zoo.scoring.backbone.name,
        "labels": [],
        "status": "rejected",
        "reason": f"{code}: {message}",
    }


def failure_note(folder: Path) -> Path:
    """Where it is written down that training an adapter for this folder failed, and why. Removed, it is tried again."""
    return folder.with_name(folder.name + ".failed")
