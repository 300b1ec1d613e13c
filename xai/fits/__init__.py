"""What do masks, and the p under them, say about each unit? Pure algebra, whether a classifier or a language model gave p."""

from __future__ import annotations

from xai.fits.cap import CAP_FIT, CapFit, fit_cap
from xai.fits.design import SHAPLEY_FIT, Design, ShapleyFit, shapley_design
from xai.fits.lime import LIME_FIT, LimeFit, fit_lime
from xai.fits.shapley import fit_shapley

__all__ = [
    "CAP_FIT",
    "LIME_FIT",
    "SHAPLEY_FIT",
    "CapFit",
    "Design",
    "LimeFit",
    "ShapleyFit",
    "fit_cap",
    "fit_lime",
    "fit_shapley",
    "shapley_design",
]
