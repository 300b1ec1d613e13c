"""How good is a forecast of failure, and how sure is that? Figures for any weights of the rows, intervals by bootstrap."""

from gold.forecast.bootstrap import MIN_ADAPTERS, Bootstrap, Estimated, bootstrap
from gold.forecast.figures import FIGURES, Scored

__all__ = ["FIGURES", "MIN_ADAPTERS", "Bootstrap", "Estimated", "Scored", "bootstrap"]
