"""Explanatory inversion in probe worlds: is an explanation used, or merely told afterwards, where the truth is known?"""
