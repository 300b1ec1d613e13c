"""Provenance networks: which training examples stand behind a prediction? A class head, and an index head over the training set."""
