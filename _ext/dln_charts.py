"""Interactive charts on the built page: kernels are told that a page is made, and the site gets the chart library once.

The library (vega, vega-lite and vega-embed in one script) comes out of the package vl-convert-python when the site is
built. `_static/charts.js` fetches it when a chart comes near, so a page without a chart never does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import vl_convert
from sphinx.application import Sphinx

LIBRARY = "vega-bundle.js"


def write_library(app: Sphinx, exception: Exception | None) -> None:
    """Put the library beside the site's other scripts; it is no source file, so no page lists it."""
    if exception is not None or app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", LIBRARY)
    if not target.exists():
        # The bundle is a module; in a function of its own its many short names stay inside.
        bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its annotation forgets the default
        target.write_text(f"(function () {{\n{bundle}\n}})();\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    os.environ["DLN_BOOK_BUILD"] = "1"  # dlnlib.explore shows the page's face of a chart, not the kernel's
    app.connect("build-finished", write_library)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
