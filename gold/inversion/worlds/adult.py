"""UCI Adult: real rows of fourteen columns, through a net and through boosted trees; a fifteenth column of noise is the slot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gold.inversion.adult_files import POSITIVE, TARGET, adult_files, read_adult
from gold.inversion.settings import InversionSettings
from gold.inversion.worlds.world import Setup, World
from lake.identity import rng
from models.probes import Mlp, NetProbe, Probe, ProbeTraining, train_probe, train_trees

TRAINING = ProbeTraining(epochs=4, batch_size=256, learning_rate=3e-3)
WIDTH = 9  # the eight commonest values of a column and the rest


def make(model: str, seed: int, n: int, settings: InversionSettings) -> Setup:
    """The model of this seed; it learns from the file's training rows, five times `trained_on` of them, and is asked about test rows."""
    train, test = (read_adult(file) for file in adult_files(settings.adult))
    train = train.iloc[rng(seed, "adult", "train").permutation(len(train))[: 5 * settings.trained_on]]
    test = test.iloc[rng(seed, "adult", "test").permutation(len(test))[: max(n, 2000)]]
    learned, asked = (_units(rows, train, seed, side) for rows, side in ((train, "train"), (test, "test")))
    labels, truth = (np.asarray(rows[TARGET] == POSITIVE, dtype=np.int64) for rows in (train, test))
    inside = np.ones(asked.shape[:2], dtype=bool)
    probe = _trained(model, learned, labels, seed)
    known = probe.outputs(learned, np.ones(learned.shape[:2], dtype=bool))
    return Setup(
        probe=probe,
        inputs=asked[:n],
        included=inside[:n],
        slot=asked.shape[1] - 1,
        mean=learned.mean(axis=0),
        background=learned[: settings.background],
        spread=learned.std(axis=0),
        output_sd=float(known.max(axis=1).std()),
        score=float((probe.outputs(asked, inside).argmax(axis=1) == truth).mean()),
        direction=np.eye(WIDTH, dtype=np.float32)[0],
    )


def _trained(model: str, inputs: NDArray[np.float32], labels: NDArray[np.int64], seed: int) -> Probe:
    if model == "xgboost":
        return train_trees(inputs, labels, seed)
    rows, everywhere = torch.from_numpy(inputs), torch.ones(inputs.shape[:2], dtype=torch.bool)
    net = train_probe(
        lambda: Mlp(inputs.shape[1], inputs.shape[2], 2),
        lambda net, some: (rows[some], everywhere[some]),
        torch.from_numpy(labels),
        seed,
        TRAINING,
    )
    return NetProbe(net)


def _units(rows: pd.DataFrame, train: pd.DataFrame, seed: int, side: str) -> NDArray[np.float32]:
    """[rows, columns + 1, width]: numbers standardised by the training rows, values one-hot, and the slot's noise, in the first feature."""
    columns = [name for name in train.columns if name != TARGET]
    found = np.zeros((len(rows), len(columns) + 1, WIDTH), dtype=np.float32)
    for place, name in enumerate(columns):
        if pd.api.types.is_numeric_dtype(train[name]):
            found[:, place, 0] = (rows[name] - train[name].mean()) / (train[name].std() or 1.0)
            continue
        common = list(train[name].value_counts().index[: WIDTH - 1])
        codes = rows[name].map({value: code for code, value in enumerate(common)}).fillna(len(common)).to_numpy(dtype=np.int64)
        found[np.arange(len(rows)), place, codes] = 1.0
    found[:, -1, 0] = rng(seed, "adult", "slot", side).standard_normal(len(rows))
    return found


WORLD = World("adult", "tabular", ("mlp", "xgboost"), make)
