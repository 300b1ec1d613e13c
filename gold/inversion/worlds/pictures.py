"""How is a world of pictures set up: patches, a convolutional net, and the first patch as the slot?"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from gold.inversion.settings import InversionSettings
from gold.inversion.worlds.world import Included, Inputs, Oracle, Setup
from lake.identity import rng
from models.probes import ConvNet, NetProbe, ProbeTraining, train_probe

TRAINING = ProbeTraining(epochs=25, batch_size=64, learning_rate=1e-2)
SLOT = 0


def with_idle_slot(patches: Inputs, generator: np.random.Generator) -> NDArray[np.float32]:
    """The same pictures with the slot evenly bright by an amount that says nothing of the label, so that nothing can be learned of it."""
    found = np.array(patches, dtype=np.float32)
    found[:, SLOT] = generator.uniform(0.0, 1.0, (len(found), 1))
    return found


def classifier(
    name: str,
    seed: int,
    train: tuple[Inputs, NDArray[np.int64]],
    test: tuple[Inputs, NDArray[np.int64]],
    n: int,
    settings: InversionSettings,
    true_units: Included | None = None,
    oracle: Oracle | None = None,
) -> Setup:
    """A ConvNet trained on `train`; the first `n` of `test` are explained, all of them measure its accuracy."""
    learned = with_idle_slot(train[0], rng(seed, name, "slot", "train"))
    asked = with_idle_slot(test[0], rng(seed, name, "slot", "test"))
    units, width = learned.shape[1:]
    classes = int(train[1].max()) + 1
    pixels, everywhere = torch.from_numpy(learned), torch.ones(learned.shape[:2], dtype=torch.bool)
    net = train_probe(
        lambda: ConvNet(units, width, classes),
        lambda net, rows: (pixels[rows], everywhere[rows]),
        torch.from_numpy(train[1]),
        seed,
        TRAINING,
    )
    probe = NetProbe(net, batch_size=2048)
    inside = np.ones(asked.shape[:2], dtype=bool)
    known = probe.outputs(learned, everywhere.numpy())
    return Setup(
        probe=probe,
        inputs=asked[:n],
        included=inside[:n],
        slot=SLOT,
        mean=learned.mean(axis=0),
        background=learned[: settings.background],
        spread=learned.std(axis=0),
        output_sd=float(known.max(axis=1).std()),
        score=float((probe.outputs(asked, inside).argmax(axis=1) == test[1]).mean()),
        true_units=None if true_units is None else true_units[:n],
        oracle=oracle,
        direction=np.ones(width, dtype=np.float32),
    )
