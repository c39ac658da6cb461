"""MathJax served by the site itself, and no more of it than the pages can load.

The package sphinx-mathjax-offline carries the whole of MathJax 3 (24 MB). The pages load one combined component, which
fetches fonts, TeX extensions and the accessibility tools of its menu on demand; only those files are copied.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

COMPONENT = "tex-chtml.js"
KEPT = (
    COMPONENT,
    "output/chtml/fonts/woff-v2/*",
    "input/tex/extensions/*",
    "a11y/*",
    "sre/mathmaps/base.json",
    "sre/mathmaps/en.json",
)


def package_folder() -> Path:
    """The folder of MathJax inside the installed package."""
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("sphinx-mathjax-offline is not installed: run `pip install -r requirements.txt`.")
    return Path(next(iter(spec.submodule_search_locations)), "static", "mathjax")


def use_own_copy(app: Sphinx, config: Config) -> None:
    config.mathjax_path = f"mathjax/{COMPONENT}"


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    source, target = package_folder(), Path(app.outdir, "_static", "mathjax")
    for pattern in KEPT:
        for path in source.glob(pattern):
            copy = target / path.relative_to(source)
            if path.is_file() and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", use_own_copy)
    app.connect("build-finished", copy_mathjax)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
