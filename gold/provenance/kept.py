"""How is a trained network kept, so that what is asked of it later needs no second training?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from models.atomic import write_file
from models.errors import ArtifactError
from models.provenance.network import ProvenanceNetwork
from models.provenance.training import Trained


def keep(path: Path, trained: Trained, seconds: float) -> None:
    """Weights, running means, what every epoch said and the training's seconds as one safetensors file, whole or not at all."""
    tensors = {name: tensor.detach().contiguous().clone() for name, tensor in trained.network.state_dict().items()}
    told = {"history": json.dumps(trained.history), "seconds": repr(seconds), "ids": json.dumps(trained.ids)}
    write_file(path, lambda pending: save_file(tensors, pending, told))


def find(path: Path, ids: tuple[str, ...], make: Callable[[], ProvenanceNetwork]) -> tuple[Trained, float] | None:
    """What `keep` wrote, in the network that `make` gives, and its seconds; None where there is nothing, or a file that a full disk has
    cut. Raises ArtifactError where the file is of other training examples than `ids`, or of another network: remove it then."""
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}  # noqa: SIM118 (safe_open is no mapping)
    except SafetensorError:
        return None
    if tuple(json.loads(told.get("ids", "[]"))) != ids:
        raise ArtifactError("training_mismatch", f"{path} must be of these {len(ids)} training examples, found others: remove the file")
    network = make()
    try:
        network.load_state_dict({name: torch.as_tensor(tensor) for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise ArtifactError("tensor_mismatch", f"{path} must hold the weights of this network: remove the file; {error}") from error
    return Trained(network.eval().requires_grad_(False), network.slots, ids, json.loads(told["history"])), float(told["seconds"])
