"""What would an explanation say that only repeats the model's output?"""

from __future__ import annotations

import numpy as np

from xai.units import BatchIncluded, BatchUnits64, PerRow

OUTPUT_ECHO = "output_echo"


def output_echo(output: PerRow, included: BatchIncluded) -> BatchUnits64:
    """M / N on each of an input's N units, 0 on excluded ones: it moves exactly as the output does and names no unit.

    So R = 1, F = 0 (null where no effect differs), IS = 1: the story told after the fact, as a control of METHODS 7. output [batch], one
    number per input, any unit.
    """
    return np.where(included, (output / included.sum(axis=1))[:, None], 0.0)
