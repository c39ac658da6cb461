"""Smaller pictures: figures of lines and letters need no more than 256 colours, a third of the bytes.

Matplotlib writes true colour. Each picture of the built site is written again with a palette, without dithering, where
that is smaller; a picture that has a palette already stays as it is.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from sphinx.application import Sphinx


def with_palette(data: bytes) -> bytes:
    """Return a PNG with at most 256 colours, or the bytes given when they are fewer or have a palette."""
    with Image.open(BytesIO(data)) as picture:
        if picture.mode not in ("RGB", "RGBA") or ("A" in picture.mode and picture.getchannel("A").getextrema() != (255, 255)):
            return data
        out = BytesIO()
        colours = picture.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        colours.save(out, format="png", optimize=True)
    return min(data, out.getvalue(), key=len)


def write_smaller(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    for path in Path(app.outdir, "_images").glob("*.png"):
        data = path.read_bytes()
        try:
            smaller = with_palette(data)
        except OSError:  # no picture that Pillow can read: none of ours, and no reason to stop
            continue
        if len(smaller) < len(data):
            path.write_bytes(smaller)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", write_smaller)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
