"""What did Reproduce-by-Poking do to an attribution? Records alone: `xai.inversion.refine` computes all three at once.

They describe how far an attribution moves where the prediction stays: a poke may truly move the model, and then it should.
"""

from __future__ import annotations

import numpy as np

from xai.records import Metric

PAPER = "IQ (arXiv 2504.08919); METHODS 7 and 9"
RBP_MEAN_DELTA = Metric("rbp_mean_delta", "inversion", "none", 0.0, np.inf, "mean |a(x') - a(x)| of the poked unit / mean |a|", PAPER)
RBP_MASS_KEPT = Metric("rbp_mass_kept", "inversion", "none", 0.0, 1.0, "sum |refined a| / sum |a|", PAPER)
RBP_REJECTED = Metric("rbp_rejected", "inversion", "none", 0.0, 1.0, "share of pokes that changed the prediction", PAPER)
