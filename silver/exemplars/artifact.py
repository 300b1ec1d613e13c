"""How is a trained head kept, and read back only where it is whole and knows the expected training examples?"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from models.atomic import write_folder
from models.errors import ArtifactError
from models.provenance.network import ProvenanceNetwork, Variant
from models.provenance.slots import Slots
from models.provenance.trunk import vector_trunk
from silver.exemplars.manifest import HEAD, HeadManifest, checked, sealed, write_manifest

WEIGHTS = "head.safetensors"
SHARED = 0  # stages that two branches share: over a vector there is one, and a branch has its own
VARIANTS: dict[str, Variant] = {"class_conditional": "class_conditional", "two_branch": "two_branch", "single_branch": "single_branch"}


@dataclass(frozen=True)
class Kept:
    """A head that can be asked. `network`: None for knn, which has nothing that was trained."""

    manifest: HeadManifest
    network: ProvenanceNetwork | None


def save_head(manifest: HeadManifest, network: ProvenanceNetwork | None, folder: Path) -> None:
    """Writes head.safetensors (none for knn) and manifest.json, whole or not at all; a head that is there already stays."""

    def fill(pending: Path) -> None:
        told = manifest
        if network is not None:
            tensors = {name: tensor.detach().contiguous() for name, tensor in _answering(network).items()}
            save_file(tensors, pending / WEIGHTS)
            told = manifest.model_copy(update={"weights_sha256": sealed(pending / WEIGHTS)})
        write_manifest(told, pending)

    with suppress(FileExistsError):  # another run was first, with the same
        write_folder(folder, fill)


def read_head(folder: Path, fingerprint: str) -> Kept:
    """The head of a folder. Raises ArtifactError when a file is damaged or edited, the tensors are not its
    network's, or it knows other training examples than `fingerprint` says."""
    manifest, tensors = checked(folder, HeadManifest, WEIGHTS, fingerprint, HEAD)
    if manifest.hidden is None:
        return Kept(manifest, None)
    variant = VARIANTS.get(manifest.variant)
    if variant is None:
        raise ArtifactError("bad_config", f"{folder}: variant must be one of {', '.join(VARIANTS)}, found {manifest.variant!r}")
    slots = Slots(np.asarray(manifest.label_ids, dtype=np.int64), len(manifest.labels), variant == "class_conditional")
    network = ProvenanceNetwork(variant, vector_trunk(manifest.dim, manifest.hidden), slots, SHARED)
    own, found = ({name: (tuple(one.shape), one.dtype) for name, one in these.items()} for these in (_answering(network), tensors))
    if own != found:
        raise ArtifactError("tensor_mismatch", f"{folder / WEIGHTS} must hold the tensors of its manifest's network: remove the folder")
    network.load_state_dict(network.state_dict() | tensors)
    return Kept(manifest, network.eval().requires_grad_(False))


load_head = lru_cache(maxsize=4)(read_head)  # once per process


def _answering(network: ProvenanceNetwork) -> dict[str, torch.Tensor]:
    """What an answer rests on: all but the number of batches that a batch norm has seen."""
    return {name: tensor for name, tensor in network.state_dict().items() if not name.endswith("num_batches_tracked")}
