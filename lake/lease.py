"""Is another run at work on this lake? One small file, renewed while its run lives, ignored once it has not been for a while."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lake.errors import LeaseHeldError
from lake.storage import Storage

RENEW_SECONDS = 10.0
EXPIRE_SECONDS = 60.0
WRITE_SECONDS = 0.3


@contextmanager
def lease(storage: Storage, run_id: str) -> Iterator[Callable[[], None]]:
    """Holds the lake for one run; gives a check that raises LeaseHeldError once the lease is in other hands.

    Appends never conflict in Delta, so it is the lease that keeps two live runs from writing the same keys twice: the check
    belongs before every commit. Raises LeaseHeldError when a live run holds the lake; a dead run's lease expires after a minute.
    """
    path, token = f"{storage.root}/_lease.json", uuid.uuid4().hex
    _take(storage, path, run_id, token)
    over, writing = threading.Event(), threading.Lock()  # a file being renewed is empty for a moment
    renewer = threading.Thread(target=_renew, args=(storage, path, run_id, token, over, writing), daemon=True)
    renewer.start()
    try:
        yield lambda: _require(storage, path, token, writing)
    finally:
        over.set()
        renewer.join()
        if _holder(storage.read_text(path)).get("token") == token:
            storage.delete(path)


def _take(storage: Storage, path: str, run_id: str, token: str) -> None:
    if storage.write_text(path, _text(run_id, token), overwrite=False):
        return
    holder = _holder(storage.read_text(path))
    if not holder:  # another run may be writing it this moment; a killed one never finishes
        time.sleep(WRITE_SECONDS)
        holder = _holder(storage.read_text(path))
    if time.time() - float(str(holder.get("renewed", 0))) < EXPIRE_SECONDS and _alive(holder):
        raise LeaseHeldError(f"{storage.root}: run {holder.get('run_id')} is at work here. Wait for it, or run again later.")
    storage.write_text(path, _text(run_id, token))
    time.sleep(WRITE_SECONDS)  # of two that take over at once the later writer wins, and the other sees it here
    _require(storage, path, token, threading.Lock())


def _require(storage: Storage, path: str, token: str, writing: threading.Lock) -> None:
    with writing:
        holder = _holder(storage.read_text(path))
    if holder.get("token") != token:
        raise LeaseHeldError(f"{storage.root}: run {holder.get('run_id')} has taken over this lake. Run again when it has ended.")


def _holder(text: str | None) -> dict[str, object]:
    """What a lease says; nothing where a process was killed while it wrote, so that nobody is found alive there."""
    try:
        found = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _alive(holder: dict[str, object]) -> bool:
    """False when the holder ran on this machine and its process is gone: then nobody need wait for the lease to expire."""
    import os
    import socket

    if holder.get("host") != socket.gethostname():
        return True
    try:
        os.kill(int(str(holder.get("pid"))), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _text(run_id: str, token: str) -> str:
    import os
    import socket

    return json.dumps({"run_id": run_id, "token": token, "renewed": time.time(), "host": socket.gethostname(), "pid": os.getpid()})


def _renew(storage: Storage, path: str, run_id: str, token: str, over: threading.Event, writing: threading.Lock) -> None:
    while not over.wait(RENEW_SECONDS):
        with writing:
            if _holder(storage.read_text(path)).get("token") != token:
                return  # lost: the check before the next commit says so
            storage.write_text(path, _text(run_id, token))
