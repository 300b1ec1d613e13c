"""Which probe worlds are there? Adding one = one file and one line here."""

from __future__ import annotations

from gold.inversion.worlds import adult, digits, grammar, linear, product, shapes
from gold.inversion.worlds.world import Setup, World

WORLDS: tuple[World, ...] = (product.WORLD, linear.WORLD, adult.WORLD, shapes.WORLD, digits.WORLD, grammar.WORLD)

__all__ = ["WORLDS", "Setup", "World"]
