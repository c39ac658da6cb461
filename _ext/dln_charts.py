"""Interactive charts on the built page: kernels are told that a page is made, and the site gets the chart library once.

A chart is one output with two forms, a picture and the controls with their data. MyST-NB would choose one of the two; the
page wants both, in one numbered figure.

The library (vega, vega-lite and vega-embed in one script) comes out of the package vl-convert-python when the site is
built. `_static/charts.js` fetches it when a chart comes near, so a page without a chart never does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import vl_convert
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

LIBRARY = "vega-bundle.js"


class ShowBothForms(SphinxPostTransform):
    """Put a chart's controls beside its picture, before MyST-NB chooses between the forms of an output."""

    default_priority = 3  # MyST-NB's choice has 4
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        for bundle in list(self.document.findall(nodes.container)):
            forms = {form.get("mime_type"): form for form in bundle.children if isinstance(form, nodes.container)}
            controls = forms.get("text/html")
            if bundle.get("nb_element") == "mime_bundle" and controls and "data-dln-chart" in controls.astext():
                forms["image/png"].extend(controls.children)
                bundle.remove(controls)


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
    app.add_post_transform(ShowBothForms)
    app.connect("build-finished", write_library)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
