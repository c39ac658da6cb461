"""The map of the chapters: every arrow goes forward, and nothing in the drawing overlaps."""

from __future__ import annotations

from itertools import combinations

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
from matplotlib.patches import FancyBboxPatch

from dlnlib.chapter_map import CHAPTERS, PREREQUISITES, chapter_map


@pytest.fixture
def drawing():
    fig, ax = chapter_map()
    fig.canvas.draw()
    yield fig, ax
    plt.close(fig)


def test_prerequisites_go_forward_and_reach_every_chapter():
    assert all(earlier < later for earlier, later in PREREQUISITES)
    assert set(PREREQUISITES.values()) <= {"necessary", "helpful"}
    for chapter in set(CHAPTERS) - {1}:
        assert any(later == chapter and kind == "necessary" for (_, later), kind in PREREQUISITES.items())


def test_no_two_texts_overlap_and_all_stay_inside(drawing):
    fig, ax = drawing
    extents = [text.get_window_extent() for text in ax.texts if text.get_text()]
    assert len(extents) == 2 * len(CHAPTERS) + 2
    assert not any(a.overlaps(b) for a, b in combinations(extents, 2))
    for box in extents:
        assert fig.bbox.x0 <= box.x0 and box.x1 <= fig.bbox.x1 and fig.bbox.y0 <= box.y0 and box.y1 <= fig.bbox.y1


def test_titles_fit_their_boxes_and_the_legend_stands_apart(drawing):
    _, ax = drawing
    boxes = [p.get_window_extent() for p in ax.patches if isinstance(p, FancyBboxPatch)]
    assert len(boxes) == len(CHAPTERS)
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    for text in (t for t in ax.texts if t.get_text()):
        extent = text.get_window_extent()
        touched = [box for box in boxes if box.overlaps(extent)]
        if text.get_text() in ("necessary", "helpful"):
            assert not touched
        else:
            (box,) = touched
            assert box.x0 < extent.x0 and extent.x1 < box.x1 and box.y0 < extent.y0 and extent.y1 < box.y1


def test_one_arrow_for_each_prerequisite_and_each_line_of_the_legend(drawing):
    _, ax = drawing
    arrows = [text for text in ax.texts if not text.get_text()]
    assert len(arrows) == len(PREREQUISITES) + 2
