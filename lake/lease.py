"""Is another run at work on this lake? One small file, renewed while its run lives, ignored once it has not been for a while."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lake.errors import LeaseHeldError
from lake.storage import Storage

RENEW_SECONDS = 10.0
EXPIRE_SECONDS = 60.0


@contextmanager
def lease(storage: Storage, run_id: str) -> Iterator[None]:
    """Holds the lake for one run. Raises LeaseHeldError when a live run holds it; a dead run's lease expires after a minute.

    Correctness does not rest on it (keys and atomic commits do): it spares two runs the same work.
    """
    path = f"{storage.root}/_lease.json"
    _take(storage, path, run_id)
    over = threading.Event()
    renewer = threading.Thread(target=_renew, args=(storage, path, run_id, over), daemon=True)
    renewer.start()
    try:
        yield
    finally:
        over.set()
        renewer.join()
        storage.delete(path)


def _take(storage: Storage, path: str, run_id: str) -> None:
    if storage.write_text(path, _text(run_id), overwrite=False):
        return
    holder = _holder(storage.read_text(path))
    if time.time() - float(str(holder.get("renewed", 0))) < EXPIRE_SECONDS and _alive(holder):
        raise LeaseHeldError(f"{storage.root}: run {holder.get('run_id')} is at work here. Wait for it, or run again later.")
    storage.write_text(path, _text(run_id))


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


def _text(run_id: str) -> str:
    import os
    import socket

    return json.dumps({"run_id": run_id, "renewed": time.time(), "host": socket.gethostname(), "pid": os.getpid()})


def _renew(storage: Storage, path: str, run_id: str, over: threading.Event) -> None:
    while not over.wait(RENEW_SECONDS):
        storage.write_text(path, _text(run_id))
