"""An environment as Binder makes it, away from the reader's files, and a JupyterLab in it."""

from __future__ import annotations

import http.client
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from _building import ROOT

REQUIRED = bool(os.environ.get("DLN_REQUIRE_BINDER"))
# Packages of Binder's base image whose versions decide what works in JupyterLab.
BASE_PACKAGES = ("jupyterlab", "jupyterlab_server", "jupyter_server", "jupyterlab_widgets", "notebook", "ipywidgets", "ipykernel")
OFFLINE = r"\(from versions: none\)|NewConnectionError|ConnectTimeout|NameResolutionError|ConnectionError|ProxyError"


def unavailable(reason: str) -> None:
    """Skip and say why; fail where the walk has to run (DLN_REQUIRE_BINDER)."""
    (pytest.fail if REQUIRED else pytest.skip)(reason)


def book_files() -> list[str]:
    """The files that a clone would hold, and new ones that are not ignored."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listing.returncode:
        unavailable("this folder is not a clone, so nobody can say which files a clone would hold")
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def clone_into(folder: Path) -> Path:
    for name in book_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def base_versions(lock: str) -> list[str]:
    """Requirements that pin what the image holds, from repo2docker's lock file."""
    held = dict(re.findall(r"/([\w.-]+?)-(\d[\w.]*)-[^-/]+\.conda", lock))
    return [f"{name}=={held[name]}" for name in BASE_PACKAGES]


def binder_python() -> str:
    """Python 3.12 as in Binder if this machine has one, or else the running Python."""
    for candidate in (shutil.which("python3.12"), *map(str, Path.home().glob(".pyenv/versions/3.12.*/bin/python3"))):
        if candidate and subprocess.run([candidate, "-c", "import ensurepip"], capture_output=True).returncode == 0:
            return candidate
    return sys.executable


def clean_environment(own: Path, **settings: str) -> dict[str, str]:
    """This process's environment without what would leak a reader's set-up into the test, or the test's into theirs."""
    leaks = re.compile(r"PYTHON|JUPYTER|JPY_|IPYTHON|VIRTUAL_ENV|CONDA|COV_|PYTEST|MPL|DLN_|MAKE|MFLAGS")
    kept = {name: value for name, value in os.environ.items() if not leaks.match(name)}
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR")
    homes = {name: str(own / name.lower()) for name in folders}
    for name in homes.values():
        Path(name).mkdir(parents=True, exist_ok=True)
    quiet = {"PYTHONNOUSERSITE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**kept, **homes, **quiet, **settings}


@dataclass(frozen=True)
class Image:
    """What Binder's image comes down to: the files of the repository and an environment."""

    book: Path
    prefix: Path
    environment: dict[str, str]

    def run(self, *command: str, timeout: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the book's folder."""
        return subprocess.run(
            [str(self.prefix / "bin" / command[0]), *command[1:]],
            cwd=self.book,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
        )


def make_image(folder: Path, lock: str) -> Image:
    """Copy the book, install binder/requirements.txt over the base image's versions, run postBuild: as Binder does."""
    prefix = folder / "environment"
    book = clone_into(folder / "book")
    subprocess.run([binder_python(), "-m", "venv", str(prefix)], check=True)
    image = Image(book, prefix, clean_environment(folder / "own", NB_PYTHON_PREFIX=str(prefix)))
    pip = ("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2", "--timeout", "30")
    for wanted in (base_versions(lock), ["-r", "binder/requirements.txt"]):
        run = image.run(*pip, *wanted)
        if run.returncode:
            if re.search(OFFLINE, run.stdout):
                unavailable("pip reaches no package index, so the environment of Binder cannot be made here")
            pytest.fail(run.stdout[-4000:])
    subprocess.run(["binder/postBuild"], cwd=book, env=image.environment, check=True)
    return image


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that answers."""

    address: str
    token: str

    def url(self, path: str) -> str:
        return f"{self.address}{path}?token={self.token}"

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url(path), timeout=10) as answer:
            return answer.read()

    def redirect(self, path: str) -> str:
        """Where an address leads."""
        with closing(http.client.HTTPConnection(self.address.split("/")[2], timeout=10)) as connection:
            connection.request("GET", "/" + path, headers={"Authorization": f"token {self.token}"})
            with connection.getresponse() as response:
                return response.headers["Location"]

    def answers(self) -> bool:
        try:
            return bool(self.get("api/status"))
        except OSError:  # urllib's errors are
            return False

    def shut_down(self) -> None:
        with suppress(OSError):
            urllib.request.urlopen(urllib.request.Request(self.url("api/shutdown"), method="POST"), timeout=10).close()


@contextmanager
def running_lab(command: Callable[[list[str]], list[str]], folder: Path, environment: dict[str, str], log: Path) -> Iterator[Lab]:
    """Run the command made with JupyterLab's options, wait until it answers, and stop it afterwards."""
    port, token = free_port(), secrets.token_hex(16)
    lab = Lab(f"http://127.0.0.1:{port}/", token)
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    with log.open("w") as output:
        server = subprocess.Popen(
            command([*options, f"--IdentityProvider.token={token}"]),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + 90
            while not lab.answers():
                assert server.poll() is None, log.read_text()[-4000:]
                assert time.monotonic() < deadline, log.read_text()[-4000:]
                time.sleep(0.2)
            yield lab
        finally:
            lab.shut_down()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
