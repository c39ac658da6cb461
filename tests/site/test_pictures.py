"""Pictures of the site have a palette, and lose nothing that an eye can see."""

from io import BytesIO

import numpy as np
from dln_pictures import with_palette
from PIL import Image


def lines():
    """Lines in the colours of the book, with soft edges, on white."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3), dpi=144)
    axes = figure.subplots()
    for k in range(6):
        axes.plot(np.sin(np.linspace(0, 6, 200) + k), linewidth=3)
    out = BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def test_lines_become_smaller_and_look_the_same():
    data = lines()
    smaller = with_palette(data)
    assert len(smaller) < 0.6 * len(data)
    before, after = (np.asarray(Image.open(BytesIO(one)).convert("RGB"), dtype=float) for one in (data, smaller))
    assert before.shape == after.shape
    error = np.abs(before - after)  # of 255
    assert error.mean() < 0.2
    assert np.quantile(error, 0.999) <= 12
    assert with_palette(smaller) == smaller


def test_what_would_lose_stays():
    out = BytesIO()
    Image.fromarray(np.zeros((8, 8, 4), dtype=np.uint8)).save(out, format="png")  # see-through
    assert with_palette(out.getvalue()) == out.getvalue()


def test_every_picture_of_the_site_has_a_palette(site):
    pictures = list((site / "_images").glob("*.png"))
    assert len(pictures) > 10
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.mode == "P", path.name
