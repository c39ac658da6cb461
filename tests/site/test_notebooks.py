"""Chapters to take away: the notebooks in the site, what they say without MyST, and the menus that lead to them."""

from __future__ import annotations

import fcntl
import functools
import http.server
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import dln_notebooks
import jupytext
import nbformat
import pytest
import yaml
from _axe import violations
from _building import CHROMIUM, FRONT_MATTER, ROOT, build_book
from _pages import broken_links, chapter_pages, main, soup
from dln_plain import LEFT_OVER, PlainWriter, blocks, options, quote, write_out
from dln_site import repository_url
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_output
from test_browser import VIEWS, Visit
from test_fresh import Book

CHAPTERS = [Path(name).stem for name in chapter_pages()]
FASTEST = "02-landscape"
ADDRESS = "https://github.com/example/deep-linear-networks"
MACROS = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]["mathjax3_config"]["tex"]["macros"]
on_every_chapter = pytest.mark.parametrize("name", CHAPTERS)
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it (apt-get install chromium)")


@functools.cache
def read(path: Path):
    return nbformat.read(path, as_version=4)


def taken(site: Path, name: str):
    return read(site / "notebooks" / f"{name}.ipynb")


def texts(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def codes(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# -- the notebooks of the chapters -----------------------------------------------------------------------------------


@on_every_chapter
def test_notebook_is_valid_and_names_its_kernel(site, name):
    notebook = taken(site, name)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert [cell.id for cell in notebook.cells] == [f"{cell.cell_type}-{i}" for i, cell in enumerate(notebook.cells)]


@on_every_chapter
def test_code_is_the_chapters_and_was_executed(site, name):
    source = jupytext.read(ROOT / "chapters" / f"{name}.md")
    install, *cells = codes(taken(site, name))
    assert install.metadata.tags == ["install"]
    assert [re.sub(r"\A#@title Solution to Exercise \d+\.\d+\n", "", cell.source) for cell in cells] == [
        cell.source for cell in codes(source)
    ]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@on_every_chapter
def test_no_myst_and_no_macro_is_left(site, name):
    for text in texts(taken(site, name)):
        prose = re.sub(r"(?s)^```.*?^```|`[^`\n]+`", "", text, flags=re.M)
        assert not LEFT_OVER.search(prose), text
        assert not re.search(rf"\\({'|'.join(MACROS)})(?![A-Za-z])", text), text
        assert not re.search(r"^\(\w[\w-]*\)=|^:\w+:|ex-ch\d|eq-[a-z]|def-[a-z]|fig-[a-z]|thm-[a-z]", prose, re.M), text


@on_every_chapter
def test_numbers_and_titles_are_those_of_the_page(site, name):
    page = main(soup(site / "chapters" / f"{name}.html"))
    text = "\n".join(texts(taken(site, name)))
    tags = re.findall(r"\\tag\{([\d.]+)\}", text)
    assert tags == [re.search(r"[\d.]+", number.get_text())[0] for number in page.select(".math .eqno")]
    named = re.findall(r"^(?:\*\*|### |> \*\*)((?:Fig\.|Exercise|Theorem|Lemma) [\d.]*\d)", text, re.M)
    assert len(named) >= 10
    assert named == [number.get_text(strip=True) for number in page.select(".caption-number")]
    assert re.match(rf"# {int(name[:2])}\. ", text)


@on_every_chapter
def test_every_figure_is_there_and_described(site, name):
    notebook = taken(site, name)
    for cell, caption in zip(notebook.cells, notebook.cells[1:], strict=False):
        if caption.source.startswith("**Fig. "):
            images = [(output, kind) for output in cell.outputs for kind in output.get("data", {}) if kind.startswith("image/")]
            assert images
            assert all(len(output.metadata[kind]["alt"]) >= 40 for output, kind in images)


@on_every_chapter
def test_nothing_alive_and_nothing_of_the_builder_is_inside(site, name):
    for cell in codes(taken(site, name)):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert dln_notebooks.WIDGET not in output.get("data", {})
            assert "data-dln-chart" not in str(output.get("data", {}).get("text/html"))
        assert set(cell.metadata) <= {"tags", "jupyter", "collapsed", "cellView"}
        folded = "solution" in cell.metadata.get("tags", [])
        assert cell.source.startswith("#@title ") is folded, "the line that a folded cell shows says nothing of its inside"
        assert cell.metadata.get("cellView") == ("form" if folded else None)
        assert cell.metadata.get("jupyter", {}).get("source_hidden", False) is folded


@on_every_chapter
def test_links_lead_to_another_notebook_or_out(site, name):
    for target in re.findall(r"\]\(([^)\s]+)\)", "\n".join(texts(taken(site, name)))):
        assert re.match(r"https?://", target) or (site / "notebooks" / target).is_file(), target


@on_every_chapter
def test_formulas_in_a_quotation_stay_on_one_line(site, name):
    for text in texts(taken(site, name)):
        for line in text.splitlines():
            if line.startswith(">"):
                assert line.replace("\\$", "").count("$") % 2 == 0, line


def printed(outputs) -> list[str]:
    return [output.text for output in outputs if output.output_type == "stream"]


def test_a_notebook_runs_as_it_was_taken(site, tmp_path):
    from nbclient import NotebookClient

    notebook = nbformat.read(site / "notebooks" / f"{FASTEST}.ipynb", as_version=4)
    before = [cell.outputs for cell in codes(taken(site, FASTEST))]
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    after = [dln_notebooks.portable(cell.outputs, None) for cell in codes(notebook)]
    assert not after[0], "with dlnlib at hand the first cell has nothing to do and nothing to say"
    assert [printed(outputs) for outputs in after] == [printed(outputs) for outputs in before]


# -- the first cell --------------------------------------------------------------------------------------------------


def run_install(cell: str, monkeypatch, found: bool) -> list[tuple[str, ...]]:
    """Run the cell as a kernel would, in a world with or without dlnlib; the magics that it called."""
    called: list[tuple[str, ...]] = []
    line = lambda *arguments: called.append(arguments)  # noqa: E731
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if found else None)
    code = TransformerManager().transform_cell(cell)
    exec(compile(code, "install", "exec"), {"get_ipython": lambda: SimpleNamespace(run_line_magic=line)})
    return called


@pytest.mark.parametrize("url", ["", ADDRESS])
def test_first_cell_does_nothing_where_dlnlib_is(monkeypatch, capsys, url):
    assert not run_install(install_cell(url), monkeypatch, found=True)
    assert not capsys.readouterr().out


def test_first_cell_installs_and_says_so(monkeypatch, capsys):
    assert run_install(install_cell(ADDRESS), monkeypatch, found=False) == [("pip", 'install --quiet "{source}"')]
    assert f"missing here. Installing it: pip install dlnlib[explore] @ git+{ADDRESS}@main" in capsys.readouterr().out


def test_first_cell_says_how_where_no_address_is_known(monkeypatch):
    with pytest.raises(ModuleNotFoundError, match="Install it from a copy of the book: pip install"):
        run_install(install_cell(""), monkeypatch, found=False)


def install_cell(url: str) -> str:
    config = SimpleNamespace(html_theme_options={"repository_url": url, "repository_branch": "main"}, html_title="A book")
    return dln_notebooks.opening(SimpleNamespace(config=config), "chapters/one")[1].source


# -- pieces ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tex", "plain"),
    [
        (r"\R^n \Rightarrow \Sxx^{-1}", r"\mathbb{R}^n \Rightarrow \Sigma_{xx}^{-1}"),
        (r"x_\Loss", r"x_{\mathcal{L}}"),
        (r"\norm{W - \norm{\Syx}}^2", r"\lVert W - \lVert \Sigma_{yx} \rVert \rVert^2"),
        (r"\abs {x_{\R}}", r"\left\lvert x_{\mathbb{R}} \right\rvert"),
        (r"\norm x", r"\lVert x \rVert"),
        (r"\norm{\{a\}}", r"\lVert \{a\} \rVert"),
        (r"\frac{\d u}{\d t} \dots", r"\frac{\mathrm{d} u}{\mathrm{d} t} \dots"),
    ],
)
def test_macros_are_written_out(tex, plain):
    assert write_out(tex, MACROS) == plain


def test_blocks_know_fences_inside_fences():
    source = "before\n````{note} Title\n:class: x\n```python\ncode\n```\n````\n```\n{eq}`raw`\n```\nafter"
    assert [(block.name, block.argument) for block in blocks(source)] == [(None, ""), ("note", "Title"), ("", ""), (None, "")]


def test_options_in_both_spellings():
    assert options(":label: a\n:class: b c\n\ntext: x") == ({"label": "a", "class": "b c"}, "text: x")
    assert options("---\nlabel: a\n---\ntext") == ({"label": "a"}, "text")
    assert options("text") == ({}, "text")


def test_quotations_keep_empty_lines():
    assert quote("a\n\nb") == "> a\n>\n> b"


@pytest.mark.parametrize("source", ["{guilabel}`x`", "```{figure} x.png\n```", "[x](nowhere)", "{{ value }}"])
def test_what_is_not_known_is_a_warning(source, monkeypatch):
    writer = PlainWriter(
        SimpleNamespace(env=SimpleNamespace(), config=SimpleNamespace(mathjax3_config=None)), "a", lambda _: None
    )
    said: list[str] = []
    monkeypatch.setattr(writer, "complain", said.append)
    monkeypatch.setattr(writer, "named", lambda label: None)
    writer.env.found_docs = set()
    writer.cell(source)
    assert said


def test_of_a_live_output_its_picture_stays():
    chart = {"text/html": '<script type="application/json" data-dln-chart>{}</script>', "text/plain": "Chart()"}
    html = {"text/html": "<div>a ledger line</div>", "text/plain": "Verified()"}
    outputs = [
        new_output("display_data", data={**chart, "image/png": "AAAA"}),
        new_output("display_data", data=dict(chart)),
        new_output("display_data", data={dln_notebooks.WIDGET: {"model_id": "1"}, "text/plain": "interactive()"}),
        new_output("display_data", data=dict(html)),
        new_output("stream", name="stdout", text="data-dln-chart is "),
        new_output("stream", name="stdout", text="only a word here"),
    ]
    picture, ledger, stream = dln_notebooks.portable(outputs, "What is seen")
    assert set(picture.data) == {"image/png", "text/plain"}
    assert picture.metadata == {"image/png": {"alt": "What is seen"}}
    assert ledger.data == html
    assert stream.text == "data-dln-chart is only a word here", "and what was printed is in one piece"


def test_addresses():
    link = dln_notebooks.binder_link(ADDRESS, "some/branch", "chapters/01-x")
    assert link == "https://mybinder.org/v2/gh/example/deep-linear-networks/some%2Fbranch?urlpath=lab/tree/chapters/01-x.md"
    link = dln_notebooks.binder_link("https://gitlab.com/a/b", "main", "chapters/01-x")
    assert link == "https://mybinder.org/v2/gl/a%2Fb/main?urlpath=lab/tree/chapters/01-x.md"


def test_the_branch_that_colab_reads_is_the_one_that_is_pushed():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    paths = [step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", "")]
    assert f"_build/html/{dln_notebooks.FOLDER}" in paths
    assert any(f"HEAD:{dln_notebooks.BRANCH}" in step.get("run", "") for step in steps)


# -- a small book of its own -----------------------------------------------------------------------------------------

SAMPLE = (
    FRONT_MATTER
    + """
# A sample

(a-place)=
## The one

$$
\\Sxx = \\R
$$ (def-sample)

By {eq}`def-sample` and {numref}`fig-line`, [here](#the-one) and in [the other](two.md), {cite:p}`someone2020`.

````{prf:theorem} Of *two* lines
:label: thm-sample

For $x \\in
\\R$,

$$
x &= y \\\\
z &= 1
$$

```text
{eq}`left alone`
```
````

```{admonition} A surprise
:class: dropdown
Seen by {cite:t}`someone2020` in {prf:ref}`thm-sample`.
```

```{exercise} Try $\\R$
:label: ex-sample

* See {ref}`a-place`.
```

```{solution-start} ex-sample
:class: dropdown
```

```{code-cell} ipython3
:tags: [solution]
print("solved")
```

More.

```{solution-end}
```

```{code-cell} ipython3
---
mystnb:
  figure: {name: fig-line, caption: A line that rises from left to right.}
  image: {alt: A straight line.}
---
from IPython.display import Image
Image(bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000"
                    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"))
```

As {ref}`ex-sample` says.

```{code-cell} ipython3
:tags: [remove-cell, check]
"kept"
```
"""
)
PLAIN = [
    "## The one\n\n$$\n\\Sigma_{xx} = \\mathbb{R} \\tag{1.1}\n$$\n\nBy (1.1) and Fig. 1.1, here (*The one*) "
    f"and in [the other]({ADDRESS}/blob/notebooks/two.ipynb), [Someone, 2020].",
    "> **Theorem 1.1 (Of *two* lines)**\n>\n> For $x \\in \\mathbb{R}$,\n>\n> $$x &= y \\\\ z &= 1$$\n>\n"
    "> ```text\n> {eq}`left alone`\n> ```\n",
    "<details><summary><b>A surprise</b></summary>\n\nSeen by Someone [2020] in Theorem 1.1.\n\n</details>",
    "### Exercise 1.1 (Try $\\mathbb{R}$)\n\n> * See The one.\n\n**Solution to Exercise 1.1**, in the folded cell below.",
    "<details><summary><b>Solution to Exercise 1.1, continued</b></summary>\n\nMore.\n\n</details>",
    "**Fig. 1.1.** A line that rises from left to right.",
    "As Exercise 1.1 says.",
    "## References\n\n* Ann Someone. *A Book*. Press, 2020.",
]


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Path:
    """The site of a small book whose repository is known, built once for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "published"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            book = Book(folder)
            book.write(
                "chapters/one.md", SAMPLE.replace("x &= y", "\\begin{aligned} x &= y").replace("z &= 1", "z &= 1 \\end{aligned}")
            )
            book.write("references.md", "# Sources\n\n```{bibliography}\n```\n")
            book.write(
                "references.bib", "@book{someone2020, author={Ann Someone}, title={A Book}, publisher={Press}, year={2020}}"
            )
            toc = (folder / "_toc.yml").read_text()
            book.write("_toc.yml", toc.replace("- file: ledger", "- file: ledger\n  - file: references"))
            run = build_book(folder, PYTHONPATH=str(folder), DLN_REPOSITORY_URL=ADDRESS)
            assert run.returncode == 0, run.stdout
            (folder / "done").touch()
    return folder / "_build" / "html"


def test_every_construct_in_plain_markdown(published):
    notebook = read(published / "notebooks" / "one.ipynb")
    text = "\n\n".join(texts(notebook))
    for piece in PLAIN:
        piece = piece.replace("$$x &= y", "$$\\begin{aligned} x &= y").replace("z &= 1$$", "z &= 1 \\end{aligned}$$")
        assert piece in text, text
    install, solution, _, check = codes(notebook)
    assert f"git+{ADDRESS}@main" in install.source
    assert "solution" in solution.metadata.tags
    assert check.metadata.tags == ["check"], "a cell that the page leaves out is in the notebook"


def test_menus_where_the_address_is_known(published):
    header = soup(published / "chapters" / "one.html").select_one(".bd-header-article")
    links = {link.get_text(strip=True): link["href"] for link in header.select(".dln-menu a")}
    assert links == {
        "Run in Binder": "https://mybinder.org/v2/gh/example/deep-linear-networks/main?urlpath=lab/tree/chapters/one.md",
        "Run in Colab": "https://colab.research.google.com/github/example/deep-linear-networks/blob/notebooks/one.ipynb",
        "Notebook (.ipynb)": "../notebooks/one.ipynb",
        "Source (.md)": "../_sources/chapters/one.md",
    }
    assert "A first launch can take minutes." in header.get_text(" ", strip=True)
    assert not list(broken_links(published, published / "chapters" / "one.html"))
    for name in ("index.html", "ledger.html"):
        header = soup(published / name).select_one(".bd-header-article")
        assert [link.get_text(strip=True) for link in header.select(".dln-menu a")] == ["Source (.md)"]
        assert "Print to PDF" in header.get_text()
    assert not soup(published / "genindex.html").select(".dln-menu")


def test_menus_where_no_address_is_known(site):
    for name in CHAPTERS:
        header = soup(site / "chapters" / f"{name}.html").select_one(".bd-header-article")
        assert f"../notebooks/{name}.ipynb" in [link["href"] for link in header.select("a[download]")]
        assert ("Run in Binder" in header.get_text()) == bool(repository_url(ROOT))


def test_outputs_survive_what_a_build_may_lose(tmp_path):
    book = Book(tmp_path)
    notebook = tmp_path / "_build" / "html" / "notebooks" / "one.ipynb"

    def said() -> list[str]:
        return [text for cell in codes(nbformat.read(notebook, as_version=4)) for text in printed(cell.outputs)]

    assert book.build().returncode == 0
    first = notebook.read_bytes()
    assert said() == ["the value is 1\n"]
    shutil.rmtree(notebook.parent)
    assert book.build().returncode == 0
    assert notebook.read_bytes() == first, "nothing was executed, and the same notebook is back"
    assert book.runs() == [1, 1]
    shutil.rmtree(tmp_path / "_build" / ".jupyter_cache")
    (notebook.parent / "renamed.ipynb").write_text("{}")
    assert book.build().returncode == 0
    assert said() == ["the value is 1\n"], "executed again"
    assert book.runs() == [2, 2]
    assert sorted(path.name for path in notebook.parent.iterdir()) == ["one.ipynb", "two.ipynb"]


# -- in Chromium -----------------------------------------------------------------------------------------------------


def open_menu(page, name: str) -> list[str]:
    """Open a menu by keyboard and walk through it; the names of what one comes across."""
    button = page.get_by_role("button", name=name, exact=True)
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("name => document.querySelector(`[aria-label='${name}'][aria-expanded=true]`)", arg=name)
    met = []
    for _ in button.locator("xpath=following-sibling::ul").locator(".dropdown-item").all():
        page.keyboard.press("ArrowDown")
        met.append(page.evaluate("document.activeElement.innerText.trim()"))
    return met


INSIDE = """() => [...document.querySelectorAll(".dln-menu .show, .dln-menu .show *")].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width && (box.left < 0 || box.right > document.documentElement.clientWidth + 1);
}).map(e => e.outerHTML.slice(0, 80))"""


@in_a_browser
def test_a_notebook_is_downloaded_with_the_keyboard(browser, address, site):
    context = browser.new_context(accept_downloads=True, **VIEWS["375-light"])
    page = Visit(context, address, f"chapters/{FASTEST}.html").page
    assert open_menu(page, "Download this page") == ["Notebook (.ipynb)", "Source (.md)", "Print to PDF"]
    page.get_by_role("link", name="Notebook (.ipynb)").focus()
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename == f"{FASTEST}.ipynb"
    assert Path(waiting.value.path()).read_bytes() == (site / "notebooks" / f"{FASTEST}.ipynb").read_bytes()
    context.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """The tests' own output is enough."""


@pytest.fixture
def published_address(published) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(published))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@in_a_browser
def test_menus_open_by_keyboard_on_any_screen(browser, published_address):
    for view in VIEWS:
        context = browser.new_context(**VIEWS[view])
        opened = Visit(context, published_address, "chapters/one.html")
        faults = []
        for name, items in {
            "Run this chapter": ["Run in Binder", "Run in Colab"],
            "Download this page": ["Notebook (.ipynb)", "Source (.md)", "Print to PDF"],
        }.items():
            assert open_menu(opened.page, name) == items, view
            assert not opened.page.evaluate(INSIDE), view
            assert not opened.outside, view
            assert not opened.errors, view
            faults += violations(opened.page)
            opened.errors.clear()  # axe asks for the style sheets once more, and for one at an address that is not its own
            opened.page.keyboard.press("Escape")
            assert opened.page.evaluate("document.activeElement.getAttribute('aria-label')") == name
        assert not faults, view
        context.close()
