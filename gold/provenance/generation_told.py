"""What do the figures of traceable generation say in words? The price of the head, and the head held against kNN, both over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gold.statistics.intervals import mean_interval

Row = Mapping[str, object]
UNCLEAR = "these seeds cannot tell"


def generation_told(rows: Sequence[Row]) -> tuple[str, ...]:
    """Sentences from one dataset's rows of gold.provenance_generation: the price of the head in reconstruction, its agreement with kNN, and
    whether its exemplars are more alike than those of kNN, which costs nothing. Nothing without a row of vae_index."""
    own = [row for row in rows if row["model"] == "vae_index"]
    if not own:
        return ()
    said = [_price(own), _agreement(own)]
    said.append(_against("one_class", "Share of one class among five", own, 3))
    said.append(_against("distance", "Mean pixel distance of the five, of which pixel kNN has the least that is possible", own, 2))
    return tuple(sentence for sentence in said if sentence)


def _price(rows: Sequence[Row]) -> str:
    """Of the bound: a head that is paid for by a wider KL would else seem free, or a gain."""
    reconstruction, bound = (
        [value for row in rows if (value := _number(row, f"paid_{name}")) is not None] for name in ("reconstruction", "bound")
    )
    whole = _mean(rows, "reconstruction_meta")
    if not bound or not reconstruction or whole is None:
        return ""
    of_one, of_both = _paired(reconstruction, 2), _paired(bound, 2)
    verdict = _verdict(bound, "the head costs something", "the head costs nothing, the bound is better with it")
    return (
        f"On held-out pictures the head changes reconstruction, {whole:.1f} nats, by {of_one}; reconstruction plus KL, which is what is "
        f"trained, by {of_both}: {verdict}."
    )


def _agreement(rows: Sequence[Row]) -> str:
    pixel, latent, n = (_mean(rows, name) for name in ("overlap_pixel", "overlap_latent", "n_train"))
    if pixel is None or latent is None or not n:
        return ""
    shares = f"{100 * latent:.0f} % are among the five nearest in latent space, {100 * pixel:.0f} % among the five nearest in pixels"
    return f"Of the head's five exemplars {shares} (five at random: {500 / n:.2g} %); kNN needs no training and no head."


def _against(what: str, words: str, rows: Sequence[Row], digits: int) -> str:
    """The head beside each kNN and random exemplars; with intervals of the paired differences over seeds."""
    own, chance = _mean(rows, f"{what}_head"), _mean(rows, f"{what}_random")
    if own is None or chance is None:
        return ""
    parts = []
    for method, name in (("latent", "latent kNN"), ("pixel", "pixel kNN")):
        theirs = [(_number(row, f"{what}_head"), _number(row, f"{what}_knn_{method}")) for row in rows]
        differences = [a - b for a, b in theirs if a is not None and b is not None]
        if differences:
            theirs_mean = _mean(rows, f"{what}_knn_{method}")
            parts.append(f"{theirs_mean:.{digits}f} by {name} (the head less it: {_paired(differences, digits)})")
    return f"{words}: {own:.{digits}f} by the head, {', '.join(parts)}, {chance:.{digits}f} at random."


def _paired(differences: Sequence[float], digits: int) -> str:
    """Mean difference with its sign, and its 95 % interval over seeds where there are two."""
    ends = mean_interval(differences)
    mean = f"{np.mean(differences):+.{digits}f}"
    if ends.low is None or ends.high is None:
        return f"{mean} (one seed, no interval)"
    return f"{mean} ({ends.low:+.{digits}f} to {ends.high:+.{digits}f}, 95 % over {len(differences)} seeds)"


def _verdict(differences: Sequence[float], above: str, below: str) -> str:
    ends = mean_interval(differences)
    if ends.low is None or ends.high is None or ends.low <= 0.0 <= ends.high:
        return UNCLEAR
    return above if ends.low > 0.0 else below


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    return float(value) if isinstance(value, (int, float)) and np.isfinite(value) else None


def _mean(rows: Sequence[Row], name: str) -> float | None:
    values = [value for row in rows if (value := _number(row, name)) is not None]
    return float(np.mean(values)) if values else None
