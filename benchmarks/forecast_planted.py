"""Which planted worlds must the verdict on explanations tell apart? Rows whose truth is written here.

Every example meets every adapter in every cell (a corruption at a severity). The logit of failure is a sum: a constant, what the example,
the adapter and the cell do, and what the confidence and the explanation metrics of the clean input say. All normal, so that each term's
standard deviation says what it is worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gold.forecast.rows import CONFIDENCE, EMBEDDING, SHIFTED, XAI
from gold.statistics.estimate import Floats

OFFSET = -0.7  # logit of failure of a middling row


@dataclass(frozen=True)
class Planted:
    """`confidence`, `xai`: weight of their signal in the logit of failure. `example`, `adapter`, `cell`: sd of what these add.
    `identity`: sd of the place of an adapter's explanation metrics, which tells adapters apart but not which of them fails. `signature`:
    the metrics are the example's alone, the same under every adapter, and say nothing of failure; else half of their variance is its."""

    name: str
    meaning: str
    confidence: float = 0.0
    xai: float = 0.0
    example: float = 1.0
    adapter: float = 0.5
    cell: float = 0.5
    identity: float = 0.0
    signature: bool = False


NOTHING = Planted("nothing", "no feature knows anything of failure")
IDENTITY = Planted("identity", "explanation metrics tell adapters apart, and adapters differ in failure", adapter=1.0, identity=2.0)
CONFIDENT = Planted("confidence", "only confidence knows", confidence=1.0)
EXPLAINED = Planted("xai", "only explanation metrics know", xai=1.0)
LEAKED = Planted(
    "leaked", "explanation metrics are a signature of the example, whose rows share their outcome", example=3.0, signature=True
)
KNOWN = Planted("known", "explanation metrics are a signature of the example, which new adapters meet again", example=2.0, signature=True)
WORLDS = (NOTHING, IDENTITY, CONFIDENT, EXPLAINED, LEAKED)


def frame(world: Planted, generator: np.random.Generator, n_examples: int, n_adapters: int, n_cells: int, n_xai: int) -> pd.DataFrame:
    """Rows for `gold.forecast.rows.rows_of`, examples x adapters x cells: `n_xai` explanation metrics, the five of confidence, the two of
    the embedding (of the example, knowing nothing) and the confidence on the corrupted input, which knows half of the logit."""
    pairs, normal = (n_examples, n_adapters), generator.standard_normal
    places = world.identity * normal((n_adapters, n_xai))
    of_adapter, of_cell = world.adapter * _standard(normal(n_adapters)), world.cell * _standard(normal(n_cells))
    own = np.sqrt(0.5) * normal((*pairs, n_xai))
    shared = np.sqrt(0.5) * normal((n_examples, 1, n_xai))
    xai = np.broadcast_to(np.sqrt(2.0) * shared, own.shape) if world.signature else shared + own + places
    latent = normal(pairs)
    confidence = latent[..., None] + 0.1 * normal((*pairs, len(CONFIDENCE)))
    clean = OFFSET + world.example * normal((n_examples, 1)) + of_adapter + world.confidence * latent + world.xai * xai[..., 0]
    logit = clean[..., None] + of_cell
    failed = generator.random(logit.shape) < 1.0 / (1.0 + np.exp(-logit))
    columns = {name: _spread(confidence[..., place], n_cells) for place, name in enumerate(CONFIDENCE)}
    columns |= {name: _spread(np.broadcast_to(normal((n_examples, 1)), pairs), n_cells) for name in EMBEDDING}
    columns |= {f"{XAI}lime__ranking__m{place:02d}": _spread(xai[..., place], n_cells) for place in range(n_xai)}
    columns[SHIFTED] = (0.5 * logit + normal(logit.shape)).ravel()
    return pd.DataFrame(_keys(n_examples, n_adapters, n_cells) | {"is_correct": ~failed.ravel()} | columns)


def _keys(n_examples: int, n_adapters: int, n_cells: int) -> dict[str, object]:
    """Each cell is a corruption of its own up to five of them, then the next severity of each."""
    example, adapter, cell = (part.ravel() for part in np.indices((n_examples, n_adapters, n_cells)))
    return {
        "example_id": np.asarray([f"e{place:05d}" for place in range(n_examples)])[example],
        "adapter_id": np.asarray([f"a{place:03d}" for place in range(n_adapters)])[adapter],
        "corruption": np.asarray([f"c{place % 5}" for place in range(n_cells)])[cell],
        "severity": 1 + cell // 5,
    }


def _spread(values: Floats, n_cells: int) -> Floats:
    return np.repeat(values.ravel(), n_cells)


def _standard(values: Floats) -> Floats:
    """Mean 0 and sd 1: what few adapters or cells add is then the same in every seed."""
    return np.asarray((values - values.mean()) / values.std()) if len(values) > 1 else np.zeros(len(values))
