"""Does one live run keep others from its lake, and no dead one?"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lake.audit import RUNS
from lake.door import FORMAT_VERSION, Lake
from lake.errors import ContractError, LeaseHeldError
from lake.format import check_format
from lake.lease import EXPIRE_SECONDS, lease

pytestmark = pytest.mark.spark


def held_by(root: Path, pid: int, age: float = 0.0, host: str | None = None) -> None:
    root.mkdir(parents=True, exist_ok=True)
    text = {"run_id": "other", "renewed": time.time() - age, "host": host or socket.gethostname(), "pid": pid}
    (root / "_lease.json").write_text(json.dumps(text))


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_live_run_keeps_others_out_and_gives_the_lake_back_when_it_ends(toy: Lake) -> None:
    with lease(toy.storage, "one"), pytest.raises(LeaseHeldError, match="run one is at work here"), lease(toy.storage, "two"):
        pytest.fail("two runs held the lake at once")
    with lease(toy.storage, "three"):
        assert json.loads(Path(toy.root, "_lease.json").read_text())["run_id"] == "three"
    assert not Path(toy.root, "_lease.json").exists()


def test_a_lease_is_given_back_after_an_error_too(toy: Lake) -> None:
    with pytest.raises(ZeroDivisionError), lease(toy.storage, "one"):
        raise ZeroDivisionError
    assert not Path(toy.root, "_lease.json").exists()


def test_the_lease_of_another_machine_holds_until_it_expires(toy: Lake) -> None:
    held_by(Path(toy.root), 1, age=EXPIRE_SECONDS - 5, host="elsewhere")
    with pytest.raises(LeaseHeldError), lease(toy.storage, "mine"):
        pytest.fail("the other machine's run may be alive")
    held_by(Path(toy.root), 1, age=EXPIRE_SECONDS + 1, host="elsewhere")
    with lease(toy.storage, "mine"):
        assert json.loads(Path(toy.root, "_lease.json").read_text())["run_id"] == "mine"


def test_the_lease_of_a_process_that_is_gone_is_taken_over_at_once(toy: Lake) -> None:
    held_by(Path(toy.root), os.getpid())
    with pytest.raises(LeaseHeldError), lease(toy.storage, "mine"):
        pytest.fail("that process lives")
    held_by(Path(toy.root), dead_pid())
    with lease(toy.storage, "mine"):
        pass


def test_a_run_whose_lease_was_taken_over_stops_before_its_next_commit(toy: Lake) -> None:
    with lease(toy.storage, "one") as check:
        check()
        held_by(Path(toy.root), os.getpid())  # what a second run leaves that found the first one's lease expired
        toy.before_commit = check
        with pytest.raises(LeaseHeldError, match="other has taken over"):
            toy.create(RUNS)
        toy.before_commit = lambda: None
        assert toy.version(RUNS) is None
    assert json.loads(Path(toy.root, "_lease.json").read_text())["run_id"] == "other"  # and does not give away what is not its own


@pytest.mark.parametrize("left", ["", "{", '{"run_id": "oth'])
def test_a_lease_cut_off_by_a_kill_stops_nobody(toy: Lake, left: str) -> None:
    with lease(toy.storage, "one"):
        pass
    toy.storage.write_text(f"{toy.root}/_lease.json", '{"run_id": "other"}' * 50)
    Path(toy.root, "_lease.json").write_text(left)  # beside Hadoop's back: a checksum it may keep fits no longer
    with lease(toy.storage, "mine"):
        pass


def test_a_lake_of_a_newer_format_is_refused_and_left_as_it_is(toy: Lake) -> None:
    mark = Path(toy.root, "_assay.json")
    check_format(toy.storage)
    assert json.loads(mark.read_text()) == {"format": FORMAT_VERSION}
    check_format(toy.storage)
    mark.write_text('{"format": 999}')
    with pytest.raises(ContractError, match=r"at most 1 .*found 999.*Upgrade"):
        check_format(toy.storage)
    assert mark.read_text() == '{"format": 999}'
