"""In JupyterLab a chapter knows the book's macros, and saving it leaves no trace of them."""

import runpy
import shutil
from types import SimpleNamespace

import jupytext
import pytest
from _pages import ROOT

pytest.importorskip("jupyter_server", reason="JupyterLab is not installed here: `make lab` installs it")


@pytest.fixture
def config():
    return runpy.run_path(
        str(ROOT / "binder" / "jupyter_server_config.py"), {"get_config": lambda: SimpleNamespace(ServerApp=SimpleNamespace())}
    )


def test_every_macro_of_the_site_is_there(config):
    macros = config["book_macros"](ROOT / "chapters")
    assert macros["\\Sxx"] == "\\Sigma_{xx}"
    assert "#1" in macros["\\norm"]


def test_a_chapter_is_opened_with_the_macros_and_saved_without(config, tmp_path):
    shutil.copy(ROOT / "_config.yml", tmp_path)
    shutil.copy(ROOT / "chapters" / "_template.md", tmp_path / "chapter.md")
    before = jupytext.read(tmp_path / "chapter.md")
    manager = config["BookContentsManager"](root_dir=str(tmp_path))
    model = manager.get("chapter.md", type="notebook")
    assert "\\Sxx" in model["content"]["cells"][0]["source"]
    manager.save(model, "chapter.md")
    after = jupytext.read(tmp_path / "chapter.md")
    assert [cell.source for cell in after.cells] == [cell.source for cell in before.cells]
