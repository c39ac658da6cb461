/* Questions on the page: judges an answer as `check` does in the notebook, and keeps the answers in this browser. */
(function () {
  "use strict";
  const WORDS = { correct: "Correct", "not-yet": "Not yet" };
  const DECIMAL = "[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?";
  const TYPED = new RegExp("^(" + DECIMAL + ")(?: */ *(" + DECIMAL + "))?$");
  const TWO_WAYS = /^[+-]?[1-9][0-9]{0,2},[0-9]{3}$/;

  // -- judging: the same steps as in dlnlib/exercises/_questions.py

  function readNumber(typed, data) {
    const match = TYPED.exec(typed.trim().replace(/[\u2212\u2013]/g, "-"));
    if (!match) return { hint: data.unreadable };
    const parts = match.slice(1).filter((part) => part !== undefined);
    const unclear = parts.find((part) => TWO_WAYS.test(part));
    if (unclear) {
      const ways = { "{plain}": unclear.replace(",", ""), "{point}": unclear.replace(",", ".") };
      return { hint: data.comma.replace(/\{plain\}|\{point\}/g, (name) => ways[name]) };
    }
    const values = parts.map((part) => Number(part.replace(",", ".")));
    const value = values.length === 2 ? values[0] / values[1] : values[0];
    return Number.isFinite(value) ? { value } : { hint: data.unreadable };
  }

  function judge(data, answer) {
    if (data.kind === "choice") {
      const right = answer === data.right;
      return { state: right ? "correct" : "not-yet", message: right ? data.praise : data.hints[answer] };
    }
    const { value, hint } = readNumber(answer, data);
    if (hint) return { state: "not-yet", message: hint, unread: true };
    const close = (wanted) => Math.abs(value - wanted) <= data.atol + data.rtol * Math.abs(wanted);
    if (close(data.right)) return { state: "correct", message: data.praise };
    const known = data.mistakes.find(([wrong]) => close(wrong));
    return { state: "not-yet", message: known ? known[1] : data.otherwise };
  }

  // -- memory: one entry for a copy of the book, {question: {digest, answer, right, first}}

  const root = new URL(document.documentElement.dataset.content_root || "./", location.href).pathname;
  const KEY = "dln-questions " + root;
  let fallback = {};
  let kept = true;

  function recall() {
    try {
      fallback = JSON.parse(localStorage.getItem(KEY)) || {};
    } catch (refused) {
      kept = kept && refused instanceof SyntaxError;
    }
    return fallback;
  }

  function remember(change) {
    const all = recall();
    change(all);
    try {
      localStorage.setItem(KEY, JSON.stringify(all));
    } catch (refused) {
      kept = false; // private window or full store: the answers last as long as the page
    }
  }

  function count(questions) {
    const all = recall();
    const found = questions.map(([name, digest]) => all[name]).filter((entry, i) => entry && entry.digest === questions[i][1]);
    return { answered: found.length, right: found.filter((e) => e.right).length, first: found.filter((e) => e.first).length };
  }

  // -- one question

  function start(form, changed) {
    const name = form.dataset.question;
    const digest = form.dataset.digest;
    const feedback = form.querySelector(".dln-feedback");
    const coded = JSON.parse(form.querySelector("script").textContent);
    const open = () => JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(coded), (c) => c.charCodeAt(0))));
    const current = () => String(new FormData(form).get("answer") || "");

    function say(state, word, message) {
      const box = document.createElement("div");
      box.className = "dln-check dln-" + state;
      box.append(Object.assign(document.createElement("strong"), { textContent: word + ":" }), " " + message);
      feedback.replaceChildren(box);
      form.dataset.state = state;
    }

    function clear() {
      feedback.replaceChildren();
      delete form.dataset.state;
    }

    function check(event) {
      event.preventDefault();
      const answer = current();
      if (!answer.trim() && form.querySelector("[type=radio]")) {
        say("todo", "Not attempted", "choose one of the answers first.");
        return;
      }
      const { state, message, unread } = judge(open(), answer);
      say(state, WORDS[state], message);
      if (unread) return;
      const right = state === "correct";
      remember((all) => {
        const before = all[name] && all[name].digest === digest ? all[name] : null;
        all[name] = { digest, answer, right: right || Boolean(before && before.right), first: before ? before.first : right };
      });
      changed();
    }

    for (const control of form.querySelectorAll("[hidden]")) control.hidden = false;
    form.addEventListener("submit", check);
    form.addEventListener("input", clear);
    form.dataset.ready = "";

    const before = recall()[name];
    if (before && before.digest === digest) {
      for (const input of form.elements) {
        if (input.type === "radio") input.checked = input.value === before.answer;
        else if (input.type === "text") input.value = before.answer;
      }
      const { state, message } = judge(open(), before.answer);
      say(state, WORDS[state], message);
    }
    return {
      version: [name, digest],
      forget() {
        form.reset();
        clear();
      },
    };
  }

  // -- a page

  function page() {
    const line = document.querySelector(".dln-progress");
    const questions = Array.from(document.querySelectorAll("form.dln-question"), (form) => start(form, show));

    function show() {
      if (!line) return;
      const { answered, right, first } = count(questions.map((one) => one.version));
      const place = kept ? "Your answers stay in this browser." : "This browser does not keep answers: they last until you leave.";
      line.firstElementChild.textContent = answered
        ? `${answered} of ${questions.length} questions answered, ${right} right, ${first} at the first try.`
        : `${questions.length} questions to answer on this page. ${place}`;
      line.lastElementChild.hidden = !answered;
    }

    if (line) {
      line.lastElementChild.addEventListener("click", () => {
        remember((all) => questions.forEach((one) => delete all[one.version[0]]));
        questions.forEach((one) => one.forget());
        line.firstElementChild.focus(); // the button is about to go
        show();
      });
      show();
      line.hidden = false;
    }
    for (const list of document.querySelectorAll(".dln-book-progress")) {
      for (const item of list.children) {
        const versions = item.dataset.questions.split(" ").map((version) => version.split(":"));
        const { answered, right } = count(versions);
        item.lastElementChild.textContent = `${answered} of ${versions.length} questions answered` + (right ? `, ${right} right` : "");
      }
      list.hidden = false;
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", page);
  else page();
})();
