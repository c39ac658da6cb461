"""Binder: its configuration is read as meant, and a reader who starts a chapter there can work through it.

No image is built here. The walk goes through what an image comes down to: a fresh environment that holds the base image's
JupyterLab, binder/requirements.txt installed over it, postBuild run, and a copy of the book's files. Its tests are steps of
one visit, in the order of this file, and work in one tab.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jupytext
import pytest
from _building import CHROMIUM, ROOT
from _lab import BASE_PACKAGES, Image, Lab, make_image, running_lab, unavailable
from playwright.sync_api import expect

CHAPTERS = sorted(path.name for path in (ROOT / "chapters").glob("[0-9]*.md"))
WALKED = "03-exact-dynamics.md"
TOOL_CHAIN = re.compile(r"jupyter.book|sphinx|altair|vl.convert|pytest|playwright|ruff|mypy", re.I)
STUB = "def learning_time(u, s, u0):\n    ...  # your code here"
WRONG = "def learning_time(u, s, u0):\n    return 2 * np.log(u / u0 * ((s - u0) / (s - u))) / (2 * s)"
RIGHT = "def learning_time(u, s, u0):\n    return np.log(u / u0 * ((s - u0) / (s - u))) / (2 * s)"


# -- the configuration -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def build_pack() -> Any:
    """The part of repo2docker that takes this repository on."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one of its imports is deprecated
        patch.chdir(ROOT)
        from repo2docker.app import Repo2Docker

        application = Repo2Docker()
        for kind in application.buildpacks:
            pack = kind(base_image=application.base_image)
            pack.platform = "linux/amd64"
            if pack.detect():
                yield pack
                return
    pytest.fail("repo2docker finds nothing that it knows how to build")


@pytest.fixture(scope="module")
def base_lock(build_pack: Any) -> str:
    """What the base image holds, as repo2docker's lock file lists it."""
    import repo2docker

    folder = Path(repo2docker.__file__).parent / "buildpacks" / "conda"
    return (folder / f"environment.py-{build_pack.python_version}-linux-64.lock").read_text(encoding="utf-8")


def test_repo2docker_reads_the_configuration_as_meant(build_pack: Any) -> None:
    assert (type(build_pack).__name__, build_pack.python_version, build_pack.binder_dir) == ("PythonBuildPack", "3.12", "binder")
    steps = build_pack.render().splitlines()
    copy = next(i for i, step in enumerate(steps) if step.startswith("COPY") and step.endswith(" src/ ${REPO_DIR}/"))
    (install,) = (i for i, step in enumerate(steps) if "pip install" in step)
    assert steps[install].endswith('install --no-cache-dir -r "binder/requirements.txt"')
    assert copy < install < steps.index("RUN ./binder/postBuild"), "the library is installed from files that are there"
    assert not TOOL_CHAIN.search("\n".join(steps))


def test_the_base_image_is_known(base_lock: str) -> None:
    for name in BASE_PACKAGES:
        assert f"/{name}-" in base_lock


# -- the walk --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def image(base_lock: str, tmp_path_factory: pytest.TempPathFactory) -> Image:
    return make_image(tmp_path_factory.mktemp("binder"), base_lock)


@pytest.fixture(scope="module")
def lab(image: Image) -> Iterator[Lab]:
    def command(options: list[str]) -> list[str]:
        return [str(image.prefix / "bin" / "jupyter"), "lab", "--allow-root", *options]

    with running_lab(command, image.book, image.environment, image.book.parent / "lab.log") as server:
        yield server


class Tab:
    """A chapter open in Chromium, and what it asked for elsewhere."""

    def __init__(self, browser: Any, url: str) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 1000})
        self.context.set_default_timeout(60_000)
        self.page = self.context.new_page()
        self.outside: list[str] = []
        self.console: list[str] = []
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        here = url.split("/lab")[0]
        inside = (here, here.replace("http", "ws"), "data:", "blob:")
        self.page.on("request", lambda request: None if request.url.startswith(inside) else self.outside.append(request.url))
        self.page.goto(url)
        self.page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()

    def code_cell(self, text: str) -> Any:
        return self.page.locator(".jp-CodeCell").filter(has_text=text).first

    def markdown_cell(self, text: str) -> Any:
        return self.page.locator(".jp-MarkdownCell").filter(has_text=text).first

    def run_all(self) -> None:
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        self.page.wait_for_function(
            """() => {
                const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputArea-prompt")].map(e => e.textContent);
                const kernel = document.querySelector(".jp-Notebook-ExecutionIndicator");
                return kernel?.dataset.status === "idle"
                    && prompts.some(p => /\\d/.test(p)) && !prompts.some(p => p.includes("*"));
            }""",
            timeout=120_000,
        )

    def replace_and_run(self, old: str, new: str) -> Any:
        """Rewrite a code cell, run it and the one below, and return the one below when both are done."""
        self.wait_until_idle()
        cell = self.code_cell(old.splitlines()[0])
        index = int(cell.get_attribute("data-windowed-list-index"))
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(new)
        self.page.keyboard.press("Shift+Enter")
        self.page.keyboard.press("Shift+Enter")
        self.wait_until_idle()
        return self.page.locator(f".jp-Notebook-cell[data-windowed-list-index='{index + 1}']")


@pytest.fixture(scope="module")
def tab(lab: Lab, browser: Any) -> Iterator[Tab]:
    if CHROMIUM is None:
        unavailable("no Chromium here: install it (apt-get install chromium) to walk through a chapter in JupyterLab")
    opened = Tab(browser, lab.url(f"lab/tree/chapters/{WALKED}"))
    yield opened
    opened.context.close()


@pytest.fixture(autouse=True)
def evidence(request: pytest.FixtureRequest) -> Iterator[None]:
    """When a step fails, what the reader would have seen, and what JupyterLab said, is kept in _build."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before and "tab" in request.fixturenames:
        (ROOT / "_build").mkdir(exist_ok=True)
        tab, image = request.getfixturevalue("tab"), request.getfixturevalue("image")
        tab.page.screenshot(path=ROOT / "_build" / f"{request.node.name}.png")
        log = (image.book.parent / "lab.log").read_text(encoding="utf-8")
        (ROOT / "_build" / f"{request.node.name}.log").write_text("\n".join([log, *tab.console]), encoding="utf-8")


@pytest.fixture(scope="module")
def original() -> Any:
    return jupytext.read(ROOT / "chapters" / WALKED)


def test_the_environment_fits_together(image: Image) -> None:
    check = image.run("python", "-m", "pip", "check")
    assert check.returncode == 0, check.stdout
    held = image.run("python", "-m", "pip", "list", "--format=freeze").stdout
    assert not TOOL_CHAIN.search(held), "the reader's kernel needs nothing of the book's tool chain"


def test_the_launch_address_opens_a_notebook(tab: Tab, original: Any) -> None:
    page = tab.page
    assert page.locator(".jp-NotebookPanel").count() == 1
    assert page.locator(".jp-FileEditor, .jp-MarkdownViewer").count() == 0
    code = sum(cell.cell_type == "code" for cell in original.cells)
    page.wait_for_function("n => document.querySelectorAll('.jp-CodeCell').length === n", arg=code)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-MarkdownCell')].every(cell => cell.querySelector('.myst')?.childElementCount)"
    )
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
    assert page.locator(".jp-Dialog, .Toastify__toast").count() == 0, "nothing stands before the text"


def test_formulas_use_the_macros_of_the_book(tab: Tab) -> None:
    loss = tab.markdown_cell("The network maps an input").locator(".katex").filter(has_text="\\Loss").first
    assert loss.locator(".katex-html .mathcal").first.inner_text() == "L"
    assert tab.page.locator(".katex-error, mjx-merror").all_inner_texts() == []


def test_an_exercise_is_a_box_and_its_solution_folded(tab: Tab, original: Any) -> None:
    labels = [label for cell in original.cells for label in re.findall(r":label: (ex-[\w-]+)", cell.source)]
    solutions = [cell for cell in original.cells if "solution" in cell.metadata.get("tags", [])]
    for label in labels:
        assert tab.page.locator(f"#{label}").count() == 1, label
    assert tab.page.locator("details[id^=sol-]").count() == len(labels)
    assert tab.page.locator("details[id^=sol-][open]").count() == 0
    assert tab.page.locator(".jp-CodeCell .jp-InputPlaceholder").count() == len(solutions)


def test_the_chapter_runs_through(tab: Tab) -> None:
    page = tab.page
    tab.run_all()
    assert page.locator(".jp-OutputArea [data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts() == []
    assert page.locator(".jp-OutputArea [data-mime-type='application/vnd.jupyter.error']").all_inner_texts() == []
    prompts = page.locator(".jp-CodeCell .jp-InputArea-prompt").all_inner_texts()
    assert all(re.fullmatch(r"\[\d+\]:", prompt.strip()) for prompt in prompts if prompt.strip()), prompts


def test_charts_move(tab: Tab, original: Any) -> None:
    """In a live kernel a chart is a widget: drawn, with controls that answer the keyboard by new numbers in its sentence."""
    calls = [cell.source.splitlines()[-1] for cell in original.cells if re.search(r"^dln\.explore\.\w+\(\)\Z", cell.source, re.M)]
    assert tab.page.get_by_text(re.compile("Error (displaying|creating) widget|Loading widget")).count() == 0
    for call in calls:
        chart = tab.code_cell(call).locator(".jp-OutputArea-output:has(.jupyter-widgets)").first
        chart.locator("img, canvas, svg").first.wait_for()
        handle = chart.locator(".noUi-handle").first
        before = chart.inner_text()
        handle.focus()
        handle.press("ArrowRight")
        handle.press("ArrowRight")
        expect(chart).not_to_have_text(before, use_inner_text=True)
    assert tab.page.locator(".jp-OutputArea [data-mime-type$='stderr']").all_inner_texts() == []


def test_an_exercise_answers(tab: Tab, image: Image) -> None:
    answer = tab.replace_and_run(STUB, WRONG)
    answer.get_by_text("each layer at s").wait_for()
    answer = tab.replace_and_run(WRONG, RIGHT)
    answer.locator(".dln-correct").wait_for()


def test_saving_changes_what_was_changed(tab: Tab, image: Image) -> None:
    file = image.book / "chapters" / WALKED
    before = file.read_text(encoding="utf-8")
    tab.page.keyboard.press("Control+S")
    tab.page.locator(".lm-DockPanel-tabBar .lm-mod-current:not(.jp-mod-dirty)").first.wait_for()
    after = file.read_text(encoding="utf-8")
    assert RIGHT in after
    assert after == before.replace(STUB, RIGHT)


def test_nothing_was_asked_of_another_machine(tab: Tab) -> None:
    assert tab.outside == []


def test_the_other_chapters_run_too(image: Image) -> None:
    def execute(name: str) -> str:
        done = image.run("jupytext", "--to", "ipynb", "--execute", "--output", f"executed-{name}.ipynb", f"chapters/{name}")
        return "" if done.returncode == 0 else f"{name}: {done.stdout[-2000:]}"

    with ThreadPoolExecutor(2) as pool:
        failures = list(filter(None, pool.map(execute, [name for name in CHAPTERS if name != WALKED])))
    assert not failures, "\n".join(failures)


# -- on the reader's machine -----------------------------------------------------------------------------------------


def test_make_lab_gives_the_same(image: Image) -> None:
    """`make lab` takes its configuration from the same files, and opens on the list of chapters."""
    version = image.run("python", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").stdout.strip()
    for stamp in (f".installed-{version}", f".installed-lab-{version}"):  # what it would install is there
        (image.prefix / stamp).touch()

    def command(options: list[str]) -> list[str]:
        return ["make", "lab", f"VENV={image.prefix}", f"PYTHON={image.prefix}/bin/python", f"LAB_OPTIONS={' '.join(options)}"]

    with running_lab(command, image.book, image.environment, image.book.parent / "make-lab.log") as lab:
        assert lab.redirect("").rstrip("?") == "/lab/tree/chapters"
        viewers = json.loads(lab.get("lab/api/settings/@jupyterlab/docmanager-extension:plugin"))["schema"]["properties"]
        assert viewers["defaultViewers"]["default"]["markdown"] == "Jupytext Notebook"
        chapter = json.loads(lab.get(f"api/contents/chapters/{WALKED}"))
        assert chapter["type"] == "notebook"
        assert "\\\\Sxx" in chapter["content"]["cells"][0]["source"]
        assert lab.get("custom/custom.css") == (ROOT / "binder" / "lab.css").read_bytes()


def test_make_lab_installs_what_binder_installs() -> None:
    recipe = subprocess.run(
        ["make", "--dry-run", "--always-make", "lab", "VENV=elsewhere", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "-r binder/requirements.txt" in recipe
    assert f'NB_PYTHON_PREFIX="{ROOT}/elsewhere" binder/postBuild' in recipe
    assert ("--allow-root" in recipe) == (os.getuid() == 0)
