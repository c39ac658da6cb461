"""Questions on the page: every known answer to every question, by keyboard, against `check`; memory, forgetting, no script."""

import base64
import json
import re
from types import SimpleNamespace

import dln_questions
import pytest
from _axe import violations
from _building import CHROMIUM
from _pages import chapter_pages, soup
from docutils import nodes
from docutils.utils import new_document
from test_browser import NO_FORMULAS, Visit

from dlnlib.exercises import check, question

in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it (apt-get install chromium) to run these")
# A chart is drawn when it comes near; charts have tests of their own, and would take most of the time of these.
NO_CHARTS = "window.IntersectionObserver = class { observe() {} unobserve() {} disconnect() {} };"
# Of the formulas, those of the questions are typeset, for they stand in the way of the keyboard.
FORMULAS_OF_FORMS = """() => window.MathJax && MathJax.typesetPromise
    && MathJax.typesetPromise([...document.querySelectorAll("form.dln-question")]).then(() => true)"""
WORDS = {"correct": "Correct", "not-yet": "Not yet"}
KEY = "Object.keys(localStorage).find(name => name.startsWith('dln-questions'))"


def names(site, page):
    return [form["data-question"] for form in soup(site / page).select("form.dln-question")]


def said(name, answer):
    result = check(name, answer)
    return f"{WORDS[result.state]}: {result.message}"


# -- the pages as they are written -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", chapter_pages())
def test_every_prediction_is_a_form_and_its_cells_are_not_shown(site, page):
    exercises = soup(site / page).select(".exercise.kind-predict")
    assert len(exercises) >= 3
    for exercise in exercises:
        form = exercise.select_one("form.dln-question")
        assert form["data-question"] == dln_questions.question_id(exercise["id"])
        payload = json.loads(form.select_one("script").get_text())
        assert json.loads(base64.b64decode(payload)) == question(form["data-question"]).data
        following = exercise.find_next_sibling(True)
        assert "solution" in following["class"], "the stub and the check are in the notebook, not here"


@pytest.mark.parametrize("page", chapter_pages())
def test_nothing_of_the_answer_can_be_read_before_it_is_asked_for(site, page):
    found = question_data(site, page)
    tree = soup(site / page)
    raw = "".join(str(part) for part in (tree.head, tree.article or tree.main))
    for solution in tree.select(".solution"):
        raw = raw.replace(str(solution), "")  # folded, and meant to be read
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    for data in found:
        texts = [data["praise"], data.get("otherwise", data["praise"])]
        texts += data["hints"].values() if data["kind"] == "choice" else [hint for _, hint in data["mistakes"]]
        for text in texts:
            assert text not in raw
            assert text not in index
    for form in tree.select("form.dln-question"):
        alike = {
            re.sub(r'value="[a-z]"|\([a-z]\)|<span class="dln-words">.*', "", str(item), flags=re.S) for item in form.select("li")
        }
        assert len(alike) <= 1, "the right choice is written like the others"
        assert not form.select("[checked], [value]:not([type=radio])")


def question_data(site, page):
    return [question(name).data for name in names(site, page)]


def test_controls_are_born_hidden(site):
    for page in chapter_pages():
        for control in soup(site / page).select("form.dln-question :is(input, button), .dln-progress"):
            assert control.has_attr("hidden") or control.find_parent(hidden=True)


def test_the_landing_page_lists_the_chapters(site):
    rows = soup(site / "index.html").select(".dln-book-progress li")
    assert [row.a["href"] for row in rows] == chapter_pages()
    for row, page in zip(rows, chapter_pages(), strict=True):
        forms = soup(site / page).select("form.dln-question")
        versions = [f"{form['data-question']}:{form['data-digest']}" for form in forms]
        assert row["data-questions"].split() == versions


# -- what the extension refuses --------------------------------------------------------------------------------------


def exercise(label, *choices):
    section = nodes.section("", nodes.paragraph("", "Which?"))
    if choices:
        section += nodes.bullet_list("", *(nodes.list_item("", nodes.paragraph("", text)) for text in choices))
    return nodes.admonition("", section, label=label, classes=["exercise", "kind-predict"])


@pytest.mark.parametrize(
    ("label", "choices", "word"),
    [
        ("ex-ch00-nothing", ["(a) One.", "(b) Two."], "there is no exercise 'ch00.nothing'"),
        ("ex-ch00-weight", [], "no question"),
        ("ex-ch00-guess", ["(a) One.", "(b) Two."], "choices: a, b; dlnlib.exercises has hints for: a, b, c"),
        ("ex-ch00-guess", ["(a) One.", "(c) Two.", "(b) Three."], "choices: a, c, b"),
        ("ex-ch00-guess", ["(a) One.", "(b) Two.", "(b) Two again.", "(c) Three."], "choices: a, b, c"),
        ("ex-ch00-guess", [], "choices: none"),
        ("ex-ch00-guess", ["(a) One.", "Two.", "(c) Three."], "starts with its letter"),
        ("ex-ch00-speed", ["(a) One.", "(b) Two."], "hints for: a number"),
    ],
)
def test_what_does_not_fit_is_refused(label, choices, word):
    with pytest.raises(ValueError, match=re.escape(word)):
        dln_questions.build_form(exercise(label, *choices))


def test_a_second_list_and_a_choice_of_two_paragraphs_are_refused():
    twice = exercise("ex-ch00-guess", "(a) One.", "(b) Two.", "(c) Three.")
    twice += exercise("ex-ch00-guess", "(a) One.")[0][1].deepcopy()
    with pytest.raises(ValueError, match="one list"):
        dln_questions.build_form(twice)
    long = exercise("ex-ch00-guess", "(a) One.", "(b) Two.", "(c) Three.")
    long[0][1][1] += nodes.paragraph("", "And more.")
    with pytest.raises(ValueError, match="one paragraph"):
        dln_questions.build_form(long)


def test_a_question_that_does_not_fit_is_a_warning_and_the_others_are_made(caplog):
    title = nodes.title("", "Chapter")
    good, bad = exercise("ex-ch00-speed"), exercise("ex-ch00-guess")
    document = new_document("page")
    document += nodes.section("", title, good, bad)
    env = SimpleNamespace(docname="page")
    dln_questions.make_forms(SimpleNamespace(env=env), document)
    assert [record.getMessage() for record in caplog.records] == [
        "question ex-ch00-guess: the page offers the choices: none; dlnlib.exercises has hints for: a, b, c"
    ]
    assert [name for name, _ in dln_questions.QUESTIONS.of(env)["page"]] == ["ch00.speed"]
    assert isinstance(title.next_node(descend=False, siblings=True), dln_questions.ChapterProgress)
    assert good.next_node(dln_questions.QuestionForm) is not None
    assert bad.next_node(dln_questions.QuestionForm) is None


def test_formulas_stay_in_their_choice():
    made = exercise("ex-ch00-guess", "(a) One.", "(b) Two.", "(c) Three.")
    made[0][1][1][0] += nodes.math("", "x^2")
    form = dln_questions.build_form(made)
    assert [choice["letter"] for choice in form] == ["a", "b", "c"]
    assert isinstance(form[1][1], nodes.math)


# -- in the browser --------------------------------------------------------------------------------------------------


def wrong_and_right(name):
    """Answers in the order in which they are tried: everything known to be wrong, then the right one."""
    data = question(name).data
    if data["kind"] == "choice":
        return [*sorted(data["hints"]), data["right"]]
    span = data["atol"] + data["rtol"] * abs(data["right"])
    values = [value for value, _ in data["mistakes"]]
    values += [data["right"] + 1.001 * span, data["right"] - 1.001 * span, data["right"] + 0.999 * span]
    typed = [repr(value) for value in values]
    return ["zebra", "2,500", "123456/7", *typed, typed[0].replace("-", "−").replace(".", ","), repr(data["right"])]


class Asked:
    """One question on an open page, and a keyboard."""

    def __init__(self, page, name):
        self.page, self.name = page, name
        self.form = page.locator(f"form[data-question='{name}']")
        self.form.locator("input").first.focus()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def answer(self, answer):
        """Answer and check without a pointer; the focus is in the question before and after."""
        if self.form.locator("[type=radio]").count():
            self.form.locator("input").first.focus()
            self.press("Space")
            while self.form.locator("input:checked").get_attribute("value") != answer:
                self.press("ArrowDown")
            self.press("Tab")
            for _ in range(self.form.locator("mjx-container").count()):  # MathJax makes every formula a stop
                if not self.page.evaluate("document.activeElement.matches('button')"):
                    self.press("Tab")
            self.press("Enter")
        else:
            self.press("Control+a")
            self.page.keyboard.insert_text(answer)
            self.press("Enter")
        return self.feedback()

    def feedback(self):
        return self.form.locator(".dln-feedback").text_content()


@pytest.fixture
def visit(browser, address):
    contexts = []

    def go(name, script="", base=address, **options):
        contexts.append(browser.new_context(**options))
        contexts[-1].add_init_script(NO_CHARTS + NO_FORMULAS + script)
        opened = Visit(contexts[-1], base, name)
        if options.get("java_script_enabled", True):
            opened.page.evaluate(FORMULAS_OF_FORMS)
        return opened

    yield go
    for context in contexts:
        context.close()


def progress(page):
    return page.locator(".dln-progress p").text_content()


@in_chromium
@pytest.mark.parametrize("page_name", chapter_pages())
def test_every_answer_gets_what_check_says_and_is_remembered_until_it_is_forgotten(visit, site, page_name):
    width, scheme = [(375, "light"), (1280, "dark")][chapter_pages().index(page_name) % 2]
    opened = visit(page_name, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, asked = opened.page, names(site, page_name)
    n = len(asked)
    assert progress(page) == f"{n} questions to answer on this page. Your answers stay in this browser."
    assert not page.locator(".dln-progress button").is_visible()
    for name in asked:
        one = Asked(page, name)
        for answer in wrong_and_right(name):
            assert one.answer(answer) == said(name, answer)
        assert one.form.locator(".dln-words .math:not(:has(mjx-container))").count() == 0
    assert progress(page) == f"{n} of {n} questions answered, {n} right, 0 at the first try."
    assert not opened.errors
    if page_name in chapter_pages()[:2]:  # once for each of the two views
        assert not violations(page, context="form.dln-question")
        opened.errors.clear()  # axe asks for style sheets at addresses of its own

    page.reload(wait_until="domcontentloaded")
    for name in asked:
        right = wrong_and_right(name)[-1]
        form = page.locator(f"form[data-question='{name}']")
        assert form.locator(".dln-feedback").text_content() == said(name, right)
        assert form.locator("input:checked, input[type=text]").input_value() == right
    assert progress(page).startswith(f"{n} of {n}")

    page.locator(".dln-progress button").focus()
    page.keyboard.press("Enter")
    assert progress(page).startswith(f"{n} questions to answer")
    assert page.evaluate("document.activeElement.matches('.dln-progress p')"), "the focus is not lost with the button"
    assert page.locator(".dln-feedback > *, .dln-question input:checked").count() == 0
    assert page.evaluate(f"localStorage.getItem({KEY})") == "{}"
    assert Asked(page, asked[-1]).answer(right) == said(asked[-1], right)
    assert progress(page) == f"1 of {n} questions answered, 1 right, 1 at the first try."
    page.goto(page.url.replace(page_name, "index.html"))
    rows = page.locator(".dln-book-progress li span").all_text_contents()
    assert rows[chapter_pages().index(page_name)] == f"1 of {n} questions answered, 1 right"
    assert sum(row.startswith("0 of") for row in rows) == len(rows) - 1
    assert not opened.errors


REFUSE = """for (const method of ["getItem", "setItem"]) {
    const own = Storage.prototype[method];
    Storage.prototype[method] = function (name, ...rest) {
        if (name.startsWith("dln-questions")) throw new DOMException("refused", "SecurityError");
        return own.call(this, name, ...rest);
    };
}"""


@in_chromium
def test_a_browser_that_keeps_nothing_still_answers(visit, site):
    page_name = chapter_pages()[0]
    opened = visit(page_name, script=REFUSE)
    name = names(site, page_name)[0]
    assert "does not keep answers" in progress(opened.page)
    right = wrong_and_right(name)[-1]
    assert Asked(opened.page, name).answer(right) == said(name, right)
    assert "1 right, 1 at the first try" in progress(opened.page)
    assert not opened.errors


@in_chromium
def test_from_a_file_by_pointer_on_paper_and_after_a_change(visit, site):
    page_name = chapter_pages()[2]
    page = visit(page_name, base=site.as_uri() + "/").page
    form = page.locator("form.dln-question:has([type=radio])").first
    form.locator("button").click()
    assert form.locator(".dln-feedback").text_content() == "Not attempted: choose one of the answers first."
    assert progress(page).endswith("Your answers stay in this browser."), "an empty answer does not count"
    form.locator("label").nth(1).click()
    assert form.locator(".dln-feedback").text_content() == "", "a verdict does not outlast its answer"
    form.locator("button").click()
    assert form.locator(".dln-feedback").text_content() == said(form.get_attribute("data-question"), "b")

    page.emulate_media(media="print")
    assert page.locator("form.dln-question :is(input, button, .dln-feedback):visible, .dln-progress:visible").count() == 0
    assert page.locator("form.dln-question li:visible").count() >= 6
    page.emulate_media(media="screen")

    page.reload(wait_until="domcontentloaded")
    assert form.locator("input").nth(1).is_checked()
    page.evaluate(f'localStorage.setItem({KEY}, localStorage.getItem({KEY}).replace(/digest":"./, \'digest":"z\'))')
    page.reload(wait_until="domcontentloaded")
    assert "to answer on this page" in progress(page), "the answer belongs to another version of the question"
    assert page.locator(".dln-feedback > *, .dln-question input:checked").count() == 0
    page.evaluate(f"localStorage.setItem({KEY}, 'not JSON')")
    page.reload(wait_until="domcontentloaded")
    assert progress(page).endswith("Your answers stay in this browser.")


@in_chromium
def test_without_script_a_question_is_a_list_and_a_hint(visit, site):
    page_name = chapter_pages()[2]
    page = visit(page_name, java_script_enabled=False).page
    assert page.locator("form.dln-question :is(input, button):visible, .dln-progress:visible").count() == 0
    for name in names(site, page_name):
        form = page.locator(f"form[data-question='{name}']")
        assert form.locator("li:visible").count() == len(question(name).letters)
        assert f'check("{name}", ...)' in form.locator("noscript").inner_text()
