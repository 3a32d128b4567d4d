"""A real Chromium, headless, driven over the DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import websocket

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
    "--force-color-profile=srgb",
    "about:blank",
)
DEADLINE_SECONDS = 240
"""Guards against hanging only: nothing on a busy machine takes so long."""


def find() -> str | None:
    """Where the browser is, None where it is not installed."""
    return (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )


class Chromium:
    """A browser with a profile of its own, gone with everything it wrote on leaving."""

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(
            prefix="wb-chromium-", ignore_cleanup_errors=True
        )
        program = find()
        assert program, "chromium is not installed"
        self._process = subprocess.Popen(
            [program, f"--user-data-dir={self._profile.name}", *FLAGS],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port, path = self._port()
        self._socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}{path}", timeout=DEADLINE_SECONDS
        )
        self._ids = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        return self

    def _port(self) -> tuple[str, str]:
        file = Path(self._profile.name) / "DevToolsActivePort"
        ends = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < ends:
            if file.exists() and len(lines := file.read_text().split("\n")) >= 2 and lines[1]:
                return lines[0], lines[1]
            time.sleep(0.05)
        msg = "chromium did not open its debugging port"
        raise TimeoutError(msg)

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send one command and wait for its answer; events on the way are kept."""
        number = next(self._ids)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def open(
        self,
        url: str,
        *,
        width: int = 1360,
        height: int = 900,
        theme: str = "light",
        wait: str = "true",
    ) -> Page:
        """Open a page and wait until the expression `wait` is true in it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        page.size(width, height)
        page.theme(theme)
        page.call("Page.navigate", url=url)
        page.wait(
            f"document.readyState === 'complete' && location.href !== 'about:blank' && ({wait})"
        )
        return page


class Page:
    """One tab."""

    def __init__(self, browser: Chromium, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)

    def size(self, width: int, height: int) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def theme(self, name: str, *, media: str = "") -> None:
        """What the system prefers, and the medium (``print``)."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def value(self, expression: str) -> Any:
        """Evaluate in the page."""
        answer = self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
            userGesture=True,
            allowUnsafeEvalBlockedByCSP=False,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression: str) -> None:
        ends = time.monotonic() + DEADLINE_SECONDS
        while not self.value(expression):
            assert time.monotonic() < ends, f"never true: {expression}\n{self.complaints}"
            time.sleep(0.05)

    def hover(self, place: str, until: str) -> None:
        """Move the pointer about a place until an expression is true.

        A chart may be drawn anew between two looks at it: the place, an expression that gives x
        and y, is asked for before every move, as a hand follows what it sees.
        """
        ends = time.monotonic() + DEADLINE_SECONDS
        for step in itertools.count():
            x, y = self.value(place)
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x + step % 2, y=y)
            if self.value(until):
                return
            assert time.monotonic() < ends, f"never true: {until}\n{self.complaints}"
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """Press and release a key."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27}
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=codes[key],
                **text,
            )

    def _events(self, method: str) -> list[dict[str, Any]]:
        events = self._browser.events
        return [
            e["params"]
            for e in events
            if e["method"] == method and e.get("sessionId") == self._session
        ]

    @property
    def requests(self) -> list[str]:
        """Every address that was asked for, inline data left out."""
        asked = [e["request"]["url"] for e in self._events("Network.requestWillBeSent")]
        return [url for url in asked if not url.startswith(("data:", "blob:"))]

    @property
    def complaints(self) -> list[str]:
        """What the console, the log and the content security policy complain of."""
        console = [
            " ".join(str(a.get("value", a.get("description"))) for a in e["args"])
            for e in self._events("Runtime.consoleAPICalled")
            if e["type"] in ("error", "warning", "assert")
        ]
        thrown = [
            str(e["exceptionDetails"].get("exception", e["exceptionDetails"]))
            for e in self._events("Runtime.exceptionThrown")
        ]
        logged = [
            e["entry"]["text"]
            for e in self._events("Log.entryAdded")
            if e["entry"]["level"] in ("error", "warning")
        ]
        return console + thrown + logged

    def screenshot(self, path: Path, *, whole: bool = True) -> Path:
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))
        return path

    def pdf(self, path: Path) -> Path:
        data = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
        path.write_bytes(base64.b64decode(data))
        return path

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)
