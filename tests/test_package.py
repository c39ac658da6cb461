"""The package itself: light import, explicit names, house style."""

import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import dlnlib
from dlnlib import plotting


def test_import_needs_numpy_alone():
    code = (
        "import sys, numpy, dlnlib; "
        "heavy = [m for m in ('scipy', 'matplotlib', 'pandas', 'altair', 'ipywidgets') if m in sys.modules]; "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_exists():
    for name in dlnlib.__all__:
        assert getattr(dlnlib, name) is not None
        assert name in dir(dlnlib)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = dlnlib.nonsense


@pytest.mark.parametrize("name", [n for n in dlnlib._SUBMODULES if n != "exercises"])
def test_modules_state_their_names(name):
    module = getattr(dlnlib, name)
    in_order = sorted(module.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert in_order == list(module.__all__), "keep __all__ sorted: constants, classes, functions"
    for public in module.__all__:
        thing = getattr(module, public)
        if callable(thing):
            assert thing.__doc__, f"{name}.{public} has no docstring"


def test_style_and_curves():
    with mpl.rc_context():
        plotting.use_style()
        fig, ax = plt.subplots()
        (solid,) = plotting.simulation(ax, [0, 1], [0, 1], 2)
        (dashed,) = plotting.theory(ax, [0, 1], [0, 1], 2)
        assert solid.get_linestyle() == "-"
        assert dashed.get_linestyle() == "--"
        assert solid.get_color() == dashed.get_color() == plotting.mode_colour(2)
        grey = plotting.others(ax, [0, 1], [[0, 1], [1, 0]])
        assert len(grey) == 2
        assert grey[0].get_color() == plotting.NEUTRAL
        plt.close(fig)
    assert plotting.mode_colour(7) == plotting.mode_colour(0)
    with pytest.raises(ValueError, match="at least 0"):
        plotting.mode_colour(-1)


def luminance(colour):
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("colour", [*plotting.MODE_COLOURS, plotting.NEUTRAL])
def test_colours_stand_out_on_white(colour):
    # WCAG 1.4.11 asks 3:1 for the parts of a graphic.
    assert 1.05 / (luminance(colour) + 0.05) >= 3.0
