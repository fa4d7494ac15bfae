"""Firefox through WebDriver BiDi, as far as the tests need it: one tab, one command at a time.

Firefox speaks it over a WebSocket by itself: no driver program stands between.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import websocket

PATIENCE = 90.0

PREFERENCES = {
    # Nothing but what the tests ask for: a proxy that is not there, for all but files.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "remote.active-protocols": 1,
}


class Firefox:
    """A tab of a headless Firefox.

    Attributes
    ----------
    errors : list of str
        What the page has thrown, or written to the console as errors.
    asked : list of str
        The addresses that the page has asked for.
    """

    def __init__(self, address: str):
        self.errors: list[str] = []
        self.asked: list[str] = []
        self._number = 0
        # Firefox answers a client that names no origin, or one that it was told of.
        self._socket = websocket.create_connection(
            f"{address}/session", timeout=PATIENCE, suppress_origin=True
        )
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self._tab = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def goto(self, address: str) -> None:
        """Opens an address, and waits until all of it is there; forgets what was said before."""
        self.errors.clear()
        self.asked.clear()
        self._ask("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def evaluate(self, expression: str) -> object:
        """What an expression in JavaScript gives, once it is fulfilled, by way of JSON."""
        answer = self._ask(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self._tab},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"].get("value", "null"))

    def screen(self, ratio: float) -> None:
        """Moves the tab to a screen of so many pixels to a px of the page."""
        self._ask("browsingContext.setViewport", context=self._tab, devicePixelRatio=ratio)

    def close(self) -> None:
        self._socket.close()

    def _ask(self, method: str, **parameters: object) -> dict:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer["type"] == "event":
                self._hear(answer["method"], answer["params"])
            elif answer["id"] == self._number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def _hear(self, event: str, said: dict) -> None:
        if event == "network.beforeRequestSent":
            self.asked.append(said["request"]["url"])
        elif said["level"] == "error":
            self.errors.append(said["text"])


@contextmanager
def firefox_of(program: str) -> Iterator[Firefox]:
    """A Firefox with a profile of its own, ended with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        lines = (f'user_pref("{name}", {json.dumps(to)});' for name, to in PREFERENCES.items())
        Path(folder, "user.js").write_text("\n".join(lines), encoding="utf-8")
        log = Path(folder, "log")
        command = [program, "--headless", "--no-remote", "--profile", folder]
        command += ["--remote-debugging-port", "0", "about:blank"]
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            tab = Firefox(_address(process, log))
            yield tab
            tab.close()
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen, log: Path) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"WebDriver BiDi listening on (ws://\S+)", log.read_text())
        if found:
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"Firefox does not start:\n{log.read_text()[-2000:]}")
