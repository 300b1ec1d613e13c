"""Provenance networks judged: which training examples stand behind a prediction, and is that worth more than the free alternative?"""
