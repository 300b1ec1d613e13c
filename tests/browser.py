"""A page opened in headless Chromium by its own protocol over a pipe: what it asked for, what it complained about, how it looks."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
PATIENCE = 60.0  # seconds for one answer on a busy machine


class Browser:
    """One tab. `requests`: every address asked for beside the page itself; `complaints`: exceptions, console and log entries."""

    def __init__(self, writes: int, reads: int) -> None:
        self.writes, self.reads, self.rest, self.last, self.session = writes, reads, b"", 0, ""
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.loaded = False
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for room in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{room}.enable")

    def open(self, address: str) -> None:
        """Loads the page to its end."""
        self.loaded = False
        self.ask("Page.navigate", url=address)
        while not self.loaded:
            self._heard()
        self.ask("Runtime.evaluate", expression="document.fonts.ready.then(() => 1)", awaitPromise=True)
        self.requests = [found for found in self.requests if found != address and not found.startswith("data:")]

    def value(self, expression: str) -> Any:
        """What an expression gives inside the page, as plain data."""
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def look(self, path: Path, width: int, height: int | None = None, dark: bool = False, kind: str = "screen") -> None:
        """Writes a picture of the page at this width: its top `height` pixels, or all of it."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media=kind, features=[scheme])
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height or 900, deviceScaleFactor=1, mobile=width < 600)
        tall = height or int(self.value("document.documentElement.scrollHeight"))
        clip = {"x": 0, "y": 0, "width": width, "height": min(tall, 16000), "scale": 1}
        shot = self.ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command of the protocol and its answer; what is told meanwhile is kept."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters} | ({"sessionId": self.session} if self.session else {})
        os.write(self.writes, json.dumps(message).encode() + b"\0")
        while (answer := self._heard()).get("id") != self.last:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def _heard(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self.rest:
            if not select.select([self.reads], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"Chromium said nothing for {PATIENCE:.0f} s")
            if not (more := os.read(self.reads, 1 << 20)):
                raise RuntimeError("Chromium has gone")
            self.rest += more
        text, _, self.rest = self.rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._noted(message.get("method"), message.get("params", {}))
        return message

    def _noted(self, method: str | None, told: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Log.entryAdded":
            self.complaints.append(f"{told['entry']['level']}: {told['entry']['text']}")
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(f"console {told['type']}")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(told["exceptionDetails"]["text"])


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Chromium with a profile of its own in `folder`; it ends with the block. Nothing outside the machine can be reached from it."""
    (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
    options = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars",
        f"--user-data-dir={folder}/profile",
    ]  # fmt: skip
    shell = f'exec "$@" 3<&{their_in} 4>&{their_out}'  # the protocol reads from 3 and writes to 4
    process = subprocess.Popen(
        ["bash", "-c", shell, "chromium", str(CHROMIUM), *options],
        pass_fds=(their_in, their_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"HOME": str(folder)},
    )
    os.close(their_in)
    os.close(their_out)
    try:
        yield Browser(our_out, our_in)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        os.close(our_out)
        os.close(our_in)
