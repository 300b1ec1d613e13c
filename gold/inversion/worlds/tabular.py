"""How is a world of standard normal features set up, from its formula?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from gold.inversion.settings import InversionSettings
from gold.inversion.worlds.world import Oracle, Setup
from lake.identity import rng
from models.probes import Formula, Mlp, NetProbe, ProbeTraining, train_probe

TRAINING = ProbeTraining(epochs=40, batch_size=64, learning_rate=5e-3)


def regression(
    name: str,
    model: str,
    seed: int,
    n: int,
    settings: InversionSettings,
    formula: Callable[[torch.Tensor], torch.Tensor],
    units: int,
    true: tuple[int, ...],
    oracle: Oracle,
) -> Setup:
    """Standard normal rows; the last unit is the slot. `model`: formula, or mlp, trained on rows that are not explained."""
    train = rng(seed, name, "train").standard_normal((settings.trained_on, units, 1)).astype(np.float32)
    test = rng(seed, name, "test").standard_normal((max(n, 200), units, 1)).astype(np.float32)
    y, truth = (formula(torch.from_numpy(rows[:, :, 0])) for rows in (train, test))
    everywhere = torch.ones(len(train), units, dtype=torch.bool)
    if model == "mlp":
        net = train_probe(lambda: Mlp(units, 1, 1), lambda net, rows: (torch.from_numpy(train)[rows], everywhere[rows]), y, seed, TRAINING)
    else:
        net = Formula(formula).eval()
    probe = NetProbe(net)
    told = probe.outputs(test, np.ones(test.shape[:2], dtype=bool))[:, 0]
    return Setup(
        probe=probe,
        inputs=test[:n],
        included=np.ones((n, units), dtype=bool),
        slot=units - 1,
        mean=train.mean(axis=0),
        background=train[: settings.background],
        spread=train.std(axis=0),
        output_sd=float(y.std()),
        score=float(1.0 - ((told - truth.numpy()) ** 2).mean() / truth.numpy().var()),
        true_units=np.repeat(np.isin(np.arange(units), true)[None], n, axis=0),
        oracle=oracle,
    )
