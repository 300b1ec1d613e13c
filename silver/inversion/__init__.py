"""Explanatory inversion and Reproduce-by-Poking of a lake's own adapters, on a sub-sample of the explained examples."""
