"""The built site, brought up to date once a session; a local server for it; one Chromium."""

from __future__ import annotations

import fcntl
import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "_ext")]

from _building import CHROMIUM, ROOT, build_book  # noqa: E402


@pytest.fixture(scope="session")
def site(testrun_uid: str) -> Path:
    """Root of the built HTML. A site that is up to date costs some seconds: the first worker finds that out for all."""
    build = ROOT / "_build"
    build.mkdir(exist_ok=True)
    with (build / "tests.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if lock.read() != testrun_uid:
            run = build_book(ROOT)
            assert run.returncode == 0, run.stdout[-4000:]
            lock.truncate(0)
            lock.write(testrun_uid)
    return build / "html"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """The tests' own output is enough."""


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Address at which the site is served on this machine."""
    handler = functools.partial(QuietHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium that can reach this machine and nothing else."""
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*options, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        )
        yield chromium
        chromium.close()
