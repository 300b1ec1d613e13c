"""Small models whose behaviour is explained in probe worlds: what is asked of one, and the nets that are trained there."""

from __future__ import annotations

from models.probes.conv_net import ConvNet
from models.probes.formula import Formula
from models.probes.mlp import Mlp
from models.probes.net import NetProbe
from models.probes.probe import Probe
from models.probes.training import ProbeTraining, train_probe
from models.probes.trees import TreeProbe, train_trees
from models.probes.word_net import WordNet

__all__ = ["ConvNet", "Formula", "Mlp", "NetProbe", "Probe", "ProbeTraining", "TreeProbe", "WordNet", "train_probe", "train_trees"]
