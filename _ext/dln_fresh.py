"""Nothing is stale: a change in dlnlib, or in the packages it stands on, executes every chapter again.

MyST-NB's cache is keyed on the code of a notebook alone, so it would go on serving figures drawn by an older dlnlib.
Here one fingerprint of everything that code can reach is compared with the one kept inside the cache; when they differ
the cache is emptied. The fingerprint is also a Sphinx configuration value, so Sphinx itself reads every page again; so is
a digest of these extensions.

Two smaller duties belong to the same promise. Chapters that have to be executed are executed side by side, one kernel a
core, before Sphinx reads them one by one. And a build that gave a warning leaves no environment behind, so that the
warning comes back until its cause is mended.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging as std_logging
import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
PACKAGES = ("numpy", "scipy", "arviz-stats", "matplotlib", "altair", "ipykernel", "myst-nb")
STAMP = "dlnlib-fingerprint.txt"


def package_folder(name: str = "dlnlib") -> Path:
    """The folder of the package that the chapters' kernels will import."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{name} is not installed: run `pip install -e .`, or use `make book`.")
    return Path(next(iter(spec.submodule_search_locations)))


def digest_of_files(folder: Path) -> str:
    """Digest of every file of a folder, paths and bytes, compiled ones left out."""
    digest = hashlib.sha256()
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in sorted(files):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def fingerprint(folder: Path) -> str:
    """Digest of every file of the package, of Python's version and of the packages' versions."""
    lines = [digest_of_files(folder), sys.version, *(f"{name} {version(name)}" for name in PACKAGES)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def cache_folder(app: Sphinx) -> Path:
    """The folder in which MyST-NB will keep the executed notebooks."""
    return Path(app.config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache").resolve()


def empty_stale_cache(app: Sphinx, config: Config) -> None:
    """Forget every executed notebook when the fingerprint is not the one they were executed with."""
    config.dln_fingerprint = fingerprint(package_folder())
    # Sphinx copies style sheets and scripts only where it writes a page.
    config.dln_extensions = "".join(digest_of_files(folder) for folder in (Path(__file__).parent, Path(app.srcdir) / "_static"))
    folder = cache_folder(app)
    stamp = folder / STAMP
    if stamp.exists() and stamp.read_text() == config.dln_fingerprint:
        return
    if folder.exists():
        LOGGER.info("dlnlib or a package under it changed: every chapter is executed again")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    stamp.write_text(config.dln_fingerprint)


def is_notebook(path: Path) -> bool:
    """Whether a source file is a MyST notebook, that is, names a kernel in its front matter."""
    return path.suffix == ".md" and "\nkernelspec:" in path.read_text(encoding="utf-8")[:1000]


def execute_side_by_side(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Fill the cache with the chapters about to be read, as many at a time as there are cores."""
    paths = [Path(env.doc2path(name)) for name in docnames]
    notebooks = [path for path in paths if is_notebook(path)]
    if app.config.nb_execution_mode != "cache" or len(notebooks) < 2 or (os.cpu_count() or 1) < 2:
        return  # MyST-NB executes what is missing by itself
    cache = get_cache(str(cache_folder(app)))
    reader = {"name": "myst_nb_md", "type": "plugin"}
    keys = [cache.add_nb_to_project(str(path), read_data=reader).pk for path in notebooks]
    quiet = std_logging.getLogger("dln_fresh.executor")
    quiet.setLevel(std_logging.CRITICAL)  # a failed chapter is executed again, and reported, by MyST-NB
    executor = load_executor("local-parallel", cache, logger=quiet)
    executor.run_and_cache(filter_pks=keys, timeout=app.config.nb_execution_timeout)


def forget_warned_build(app: Sphinx, exception: Exception | None) -> None:
    """After a warning, drop the saved environment: the next build reads everything again and warns again."""
    if exception is not None or app._warncount:
        Path(app.doctreedir, "environment.pickle").unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("dln_fingerprint", "", "env", [str])
    app.add_config_value("dln_extensions", "", "env", [str])
    app.connect("config-inited", empty_stale_cache)
    app.connect("env-before-read-docs", execute_side_by_side)
    app.connect("build-finished", forget_warned_build)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
