"""Axe, run on an open page with no more work than its answers need.

A chapter has some 24,000 elements, and axe spends nearly all of its time on two kinds of them that say the same over and
over. `THIN` takes these away once a page has been looked at in every other respect, and moves nothing:

* The inside of a formula. MathJax draws glyphs as boxes without a text node, under an element that is hidden from assistive
  technology; beside it, for the ear alone, stands MathML, of which the text is left. The formula's frame, its size and what
  it can be reached by stay. A formula with anything else inside (a link, a role, an identifier) keeps all of it.
* In a block of code, words whose twin stays, the longest in sight. Twins are spans that stand in the block itself, of one
  class and no other attribute, of the same colours and letters in both colour schemes; the other one becomes plain text. What
  stands in a line that is marked stays.

Every other element has to keep its place and its size, and to go on scrolling if it did; a formula or a block whose frame
does not is put back, and where that is not enough the whole page is, and axe gets it as it was.

A colour scheme changes colours, and the paddings of some boxes. `SEEN` notes what else a rule could read: elements, their
attributes, whether they show, and their letters. Where both schemes have all that in common, one of them runs the rules that
read colours or places, and these alone; where anything differs, it runs them all.
"""

from __future__ import annotations

from functools import cache
from typing import Any

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental")
COLOUR_RULES = ("color-contrast", "link-in-text-block")
PLACE_RULES = ("target-size", "scrollable-region-focusable")
# Of every element: tag, attributes, whether and how it shows, letters. The root's own attributes name the scheme.
SEEN = """() => {
    const lines = [...document.body.querySelectorAll("*")].filter(e => !e.closest("mjx-math")).map(e => {
        const box = e.getBoundingClientRect(), style = getComputedStyle(e);
        return [e.tagName, ...[...e.attributes].map(a => a.name + "=" + a.value),
                e.checkVisibility({ visibilityProperty: true, opacityProperty: true }),
                box.width > 0, box.height > 0, box.right + scrollX > 0, box.bottom + scrollY > 0,
                style.fontSize, style.fontWeight, style.fontStyle, style.overflow, style.position, style.display].join(" ");
    });
    window.dlnSeen = [...(window.dlnSeen || []), lines];
    const words = window.dlnWords = window.dlnWords || new Map();
    for (const word of document.querySelectorAll(".highlight pre span")) {
        const style = getComputedStyle(word);
        words.set(word, (words.get(word) || word.className) + [style.color, style.backgroundColor, style.backgroundImage,
            style.opacity, style.filter, style.textShadow, style.fontSize, style.fontWeight, style.fontStyle, style.position]);
    }
}"""
DIFFERENCES = """() => {
    const [before, after] = window.dlnSeen;
    if (before.length !== after.length) return [`${before.length} elements, then ${after.length}`];
    return before.flatMap((line, i) => line === after[i] ? [] : [line + " and then " + after[i]]).slice(0, 3);
}"""
THIN = """() => {
    const undo = [];
    const inside = "mjx-math, mjx-math *, mjx-assistive-mml, mjx-assistive-mml *, .highlight pre *";
    const rest = [...document.querySelectorAll("*")].filter(e => !e.matches(inside));
    const scrolls = (more, overflow) => more > 1 && /auto|scroll/.test(overflow()) ? 1 : 0; // less is a rounded pixel
    const places = () => rest.flatMap(e => {
        const box = e.getBoundingClientRect();
        return [box.x + scrollX, box.y + scrollY, box.width, box.height,
                scrolls(e.scrollWidth - e.clientWidth, () => getComputedStyle(e).overflowX),
                scrolls(e.scrollHeight - e.clientHeight, () => getComputedStyle(e).overflowY)];
    });
    const before = places();

    const mute = e => [...e.attributes].every(a => !/^(id|role|title|href|tabindex|contenteditable|aria-.*|on.*)$/.test(a.name));
    const drawn = [...document.querySelectorAll("mjx-container > mjx-math[aria-hidden=true]")].filter(math =>
        !math.textContent.trim() && [...math.querySelectorAll("*")].every(e => e.localName.startsWith("mjx-") && mute(e)));
    const spoken = [...document.querySelectorAll("mjx-assistive-mml")].filter(one =>
        [...one.querySelectorAll("*")].every(e => e.namespaceURI.endsWith("/MathML") && mute(e)));
    const sizes = spoken.map(one => one.getBoundingClientRect());
    const probes = drawn.map(math => {
        const probe = document.createElement("span");
        probe.style.cssText = "display: inline-block; width: 0; height: 0";
        math.before(probe);
        return probe;
    });
    const boxes = drawn.map((math, i) => {
        const box = math.getBoundingClientRect();
        return [box.width, box.height, box.bottom - probes[i].getBoundingClientRect().bottom];
    });
    probes.forEach(probe => probe.remove());
    const empty = (e, text, style) => {
        const [inside, before] = [[...e.childNodes], e.getAttribute("style")];
        undo.push({ place: e.parentElement, step: () => {
            e.replaceChildren(...inside);
            if (before === null) e.removeAttribute("style"); else e.setAttribute("style", before);
        } });
        e.replaceChildren(text);
        e.style.cssText += "; box-sizing: border-box; min-width: 0; max-width: none; " + style;
    };
    drawn.forEach((math, i) => {
        const [width, height, depth] = boxes[i];
        const align = math.parentElement.getAttribute("display") ? "top" : `${-depth}px`;
        empty(math, "", `display: inline-block; width: ${width}px; height: ${height}px; vertical-align: ${align}`);
    });
    spoken.forEach((one, i) =>
        empty(one, one.textContent, `width: ${sizes[i].width}px !important; height: ${sizes[i].height}px !important`));

    for (const pre of document.querySelectorAll(".highlight pre")) {
        const old = [...pre.childNodes], frame = pre.getBoundingClientRect(), longest = new Map();
        const alone = [...pre.children].filter(word =>
            word.tagName === "SPAN" && word.attributes.length === 1 && word.className && !word.firstElementChild);
        for (const word of alone) {
            const look = window.dlnWords.get(word), box = word.getBoundingClientRect();
            // Of one letter, or of what is out of sight, axe would not judge.
            const length = word.textContent.trim().length + (box.left >= frame.left && box.right <= frame.right ? 1000 : 0);
            if (!longest.has(look) || longest.get(look)[0] < length) longest.set(look, [length, word]);
        }
        const stay = new Set([...longest.values()].map(one => one[1]));
        const plain = alone.filter(word => !stay.has(word));
        if (!plain.length) continue;
        const gone = new Set(plain);
        const plainly = node => gone.has(node) ? document.createTextNode(node.textContent) : node;
        pre.replaceChildren(...old.map(node => node.nodeType === Node.TEXT_NODE ? node.cloneNode() : plainly(node)));
        pre.normalize();
        undo.push({ place: pre, step: () => pre.replaceChildren(...old) });
    }

    const moved = () => {
        const after = places();
        return rest.filter((e, i) => [0, 1, 2, 3, 4, 5].some(j => Math.abs(after[6 * i + j] - before[6 * i + j]) > 0.5));
    };
    const odd = new Set(moved());
    undo.forEach(one => { if (odd.has(one.place)) one.step(); });
    const left = odd.size ? moved() : [];
    if (left.length) undo.forEach(one => one.step());
    return left.slice(0, 3).map(e => e.outerHTML.slice(0, 120));
}"""


@cache
def script() -> str:
    from axe_playwright_python.base import AXE_SCRIPT

    return AXE_SCRIPT


def violations(page: Any, rules: tuple[str, ...] = RULES, context: str | None = None) -> list[tuple[str, str, str]]:
    """What axe finds, with every rule it has: levels A and AA, best practice, and those it still calls experimental."""
    if not page.evaluate("!!window.axe"):
        page.evaluate(script())
    found = page.evaluate(
        "([context, options]) => axe.run(context || document, options).then(results => results.violations)",
        [context, {"runOnly": rules, "resultTypes": ["violations"]}],
    )
    return [(fault["id"], node["html"][:200], node["failureSummary"]) for fault in found for node in fault["nodes"]]
