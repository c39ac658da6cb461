/* A box that scrolls sideways can be reached, and scrolled, with a keyboard. */
(function () {
  "use strict";
  const BOXES = "div.math, mjx-container, pre, .cell_output .output, .pst-scrollable-table-container, .dln-ledger-box, table";

  function mark() {
    let count = 0;
    for (const box of document.querySelectorAll("main :is(" + BOXES + ")")) {
      const style = getComputedStyle(box);
      const scrolls = /auto|scroll/.test(style.overflowX) && box.scrollWidth > box.clientWidth;
      if (scrolls && box.tabIndex < 0) {
        box.setAttribute("tabindex", "0");
        box.dataset.dlnScrolls = "";
        if (box.tagName === "DIV") {
          box.setAttribute("role", "region");
          box.setAttribute("aria-label", "Wide content " + ++count + ", scrolls sideways");
        }
      } else if (!scrolls && "dlnScrolls" in box.dataset) {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
        delete box.dataset.dlnScrolls;
      }
    }
  }

  function start() {
    mark();
    const typeset = window.MathJax && window.MathJax.startup && window.MathJax.startup.promise;
    if (typeset) typeset.then(mark);
  }

  let waiting;
  window.addEventListener("load", start);
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(mark, 200);
  });
})();
