"""Do the rows on retrieval and on the index head's training count what they say they count?"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from benchmarks import approximate, index_training, retrieval, vectors
from benchmarks.apart import apart
from benchmarks.approximate import LIBRARIES, Measured
from benchmarks.index_training import KINDS, Cost
from models.provenance.ranking import top_linear


def test_work_is_done_in_another_process_which_is_ended_when_it_takes_too_long() -> None:
    assert apart(os.getpid, limit_seconds=60) not in (None, os.getpid())
    assert apart(math.comb, 6, 2, limit_seconds=60) == 15
    started = time.monotonic()
    assert apart(time.sleep, 600, limit_seconds=0.5) is None and time.monotonic() - started < 60
    with pytest.raises(RuntimeError, match="exit code 3"):
        apart(os._exit, 3, limit_seconds=60)


ROOT = Path(__file__).resolve().parents[3]
HELD = """
import numpy as np
from benchmarks.apart import forget_peak, memory_mib
def held(mib):
    before = memory_mib("RssAnon")
    kept = np.ones(mib * 2**17)
    return memory_mib("RssAnon") - before + 0 * kept[0]
print(held(64))
forget_peak()
before = memory_mib("VmHWM")
held(128)
print(memory_mib("VmHWM") - before)
forget_peak()
print(memory_mib("VmHWM") - before)
"""


def test_memory_that_a_process_holds_and_the_most_it_held_are_seen() -> None:
    """In a process of its own: one that has freed as much before takes no new memory."""
    said = subprocess.run([sys.executable, "-c", HELD], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    now, peak, after = map(float, said.split())
    assert now == pytest.approx(64, abs=8) and peak == pytest.approx(128, abs=8) and after < 8


def test_vectors_of_a_cluster_are_as_close_as_the_spread_says_and_others_are_far() -> None:
    made = vectors.clustered(4000, 0)
    assert made.shape == (4000, vectors.WIDTH) and np.linalg.norm(made, axis=1) == pytest.approx(1, abs=1e-5)
    labels = np.random.default_rng((1, 0)).integers(vectors.CLUSTERS, size=4000)
    cosines = made @ made.T
    same = (labels[:, None] == labels[None, :]) & ~np.eye(4000, dtype=bool)
    # 1 / (1 + 0.8^2) = 0.61, over about 16,000 pairs; a step's own length varies, which lowers it a little
    assert cosines[same].mean() == pytest.approx(0.61, abs=0.01)
    assert cosines[~same & ~np.eye(4000, dtype=bool)].mean() == pytest.approx(0, abs=0.005)


def test_other_vectors_are_of_the_same_clusters_and_the_same_seed_gives_the_same_bytes() -> None:
    train, questions = vectors.clustered(3000, 0), vectors.clustered(20, 1)
    assert (train @ questions.T).max(axis=0).mean() > 0.5  # of other clusters about 3 / sqrt(768) = 0.1
    assert vectors.clustered(50, 0).tobytes() == vectors.clustered(50, 0).tobytes() != vectors.clustered(50, 1).tobytes()


def test_recall_is_the_share_of_the_exact_ones_that_were_found() -> None:
    # 2 of 2 in another order, 1 of 2, none
    assert approximate.recall_of(np.array([[2, 1], [5, 9], [7, 7]]), np.array([[1, 2], [5, 6], [0, 1]])) == pytest.approx(0.5)


def test_the_head_of_the_bench_multiplies_with_the_vectors_themselves() -> None:
    known = torch.from_numpy(vectors.isotropic(300, 0))
    asked = torch.from_numpy(vectors.isotropic(7, 1))
    head = retrieval.index_head(known, conditional=False)
    assert head.outputs.weight.data_ptr() == known.data_ptr()
    found = head.top(asked, torch.zeros(7, dtype=torch.int64), 5)
    with torch.no_grad():
        expected = top_linear(torch.relu(head.norm(head.hidden(asked))), known, None, 5)
    assert (found.positions == expected.positions).all()
    conditional = retrieval.index_head(known, conditional=True)
    assert conditional.outputs.weight.shape == (3, vectors.WIDTH)  # 300 vectors of 100 classes
    assert set(conditional.top(asked, torch.full((7,), 4), 5).positions[:, :3].ravel()) == {4, 104, 204}


def test_the_twin_finds_what_exact_search_finds() -> None:
    known, asked = torch.from_numpy(vectors.clustered(2000, 0)), torch.from_numpy(vectors.clustered(20, 1))
    order, share = retrieval._twin(asked, known)
    found = top_linear(asked, known, None, 5)
    assert order.tolist() == found.positions.tolist()
    np.testing.assert_allclose(share.numpy(), found.probability, rtol=1e-5)


def test_an_index_is_judged_at_the_fastest_effort_that_reaches_the_recall() -> None:
    known = Measured(100.0, 3000.4, {16: 0.90, 64: 0.96, 256: 0.99}, {16: [0.1] * 2, 64: [0.5] * 2, 256: [2.0] * 2}, [2.06, 2.06])
    number = next(place for place, library in enumerate(LIBRARIES) if "graph" in library.name)
    row = retrieval._approximate_row(number, "clustered", 1_000_000, known, "1.0", "")
    # 16 is fastest and finds too little; 64: 2.06 / 0.5. Of 256 questions 1.56 s are saved: 100 s are paid after 256 x 100 / 1.56
    assert (row.value, row.details["effort"]) == (4.12, 64)
    assert row.details["questions_until_the_building_is_paid"] == 16_410
    slow = Measured(100.0, 1.0, {16: 0.97}, {16: [3.0]}, [1.5])
    row = retrieval._approximate_row(number, "clustered", 10_000, slow, "1.0", "")
    assert (row.value, row.details["questions_until_the_building_is_paid"]) == (0.5, "never")
    poor = retrieval._approximate_row(number, "isotropic", 10_000, Measured(1.0, 1.0, {16: 0.4}, {16: [0.1]}, [1.0]), "1.0", "")
    assert poor.value == 0.0 and "best 0.400" in poor.limited_by
    assert retrieval._approximate_row(number, "clustered", 10, None, "1.0", "too long").limited_by == "too long"


def test_an_index_that_cannot_be_built_in_time_is_not_tried() -> None:
    assert retrieval._too_long(1_000_000, None) is None and retrieval._too_long(1_000_000, 0.0019) is None
    assert "takes 2,000 s to build or more, above 1,900 s" in str(retrieval._too_long(1_000_000, 0.002))


def test_an_epoch_is_its_steps_and_the_practical_size_the_largest_of_an_hour() -> None:
    assert [index_training.steps_of(n) for n in (1, 128, 129, 100_000)] == [1, 1, 2, 782]
    costs = {10_000: Cost(0.1, 100.0, 5), 100_000: Cost(0.4, 1000.0, 50)}
    row = index_training._practical(KINDS[0], costs)
    # 20 epochs of 79 steps of 0.1 s: 158 s; of 782 steps of 0.4 s: 6,256 s
    assert row.value == 10_000 and row.details == {"hours_at_10000": 0.044, "hours_at_100000": 1.738}
    far = index_training._practical(KINDS[0], {10_000: costs[10_000]})
    assert far.value == 10_000 and "about 47,7" in far.limited_by  # 10,000 / sqrt(158 / 3600)


def test_the_steps_of_the_bench_are_those_of_the_training_itself() -> None:
    """What is timed must be what train_provenance does: the net, its batch and its loss."""
    for kind in KINDS:
        found = index_training.cost(kind, 400, torch.get_num_threads())
        wide = index_training.WIDTH + 1, index_training.HIDDEN, 400 if kind.variant == "two_branch" else 400 // kind.classes
        told = 0 if kind.variant == "two_branch" else kind.classes
        trunk, hidden = wide[0] * wide[1], (wide[1] + told + 1) * wide[1] + 2 * wide[1]  # and the batch norm's
        assert found.parameters == trunk + hidden + (wide[1] + 1) * (kind.classes + wide[2])
        assert found.step_seconds > 0


def test_the_peak_of_training_is_what_the_net_its_gradients_and_its_optimiser_take() -> None:
    found = apart(index_training.cost, KINDS[0], 8000, 1, limit_seconds=300)
    assert found is not None
    # weights, gradients and two moments of AdamW, float32: 16 bytes each; and once more for what is held within a step
    assert 1.0 < found.peak_mib * 2**20 / (16 * found.parameters) < 2.5


@pytest.mark.slow
@pytest.mark.parametrize("module", [retrieval, index_training])
def test_the_small_twin_of_these_rows_is_measured(module: ModuleType, tmp_path: Path) -> None:
    rows = module.measure(tmp_path, quick=True)
    assert len(rows) == (3 + sum(library.installed for library in LIBRARIES) if module is retrieval else 2 + 1)
    assert all(row.value > 0 for row in rows if "recall" not in row.figure)
