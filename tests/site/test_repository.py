"""Links to the repository appear when its address is known, and lead nowhere false when it is not."""

import subprocess

import pytest
from dln_site import default_branch, repository_url, web_address


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/some-one/the.book.git", "https://github.com/some-one/the.book"),
        ("https://github.com/some-one/book/", "https://github.com/some-one/book"),
        ("https://user:secret@github.com/some-one/book.git", "https://github.com/some-one/book"),
        ("git@github.com:some-one/book.git", "https://github.com/some-one/book"),
        ("ssh://git@gitlab.com/some-one/book.git", "https://gitlab.com/some-one/book"),
        ("/srv/git/book.git", None),
        ("../book", None),
        ("file:///srv/git/book.git", None),
        ("https://example.org/some-one/book.git", None),
        ("https://github.com/some-one", None),
        ("https://github.com.example.org/some-one/book", None),
        ("", None),
    ],
)
def test_web_address(remote, address):
    assert web_address(remote) == address


@pytest.fixture
def clone(tmp_path, monkeypatch):
    monkeypatch.delenv("DLN_REPOSITORY_URL", raising=False)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


def test_no_origin_no_address(clone):
    assert repository_url(clone) is None
    assert default_branch(clone) == "main"


def test_origin_gives_the_address(clone):
    subprocess.run(["git", "-C", clone, "remote", "add", "origin", "git@github.com:a/b.git"], check=True)
    assert repository_url(clone) == "https://github.com/a/b"


def test_the_origin_of_an_enclosing_repository_is_not_the_books(clone):
    subprocess.run(["git", "-C", clone, "remote", "add", "origin", "git@github.com:a/b.git"], check=True)
    (clone / "book").mkdir()
    assert repository_url(clone / "book") is None


def test_the_setting_wins_and_may_be_empty(clone, monkeypatch):
    subprocess.run(["git", "-C", clone, "remote", "add", "origin", "git@github.com:a/b.git"], check=True)
    monkeypatch.setenv("DLN_REPOSITORY_URL", "https://gitlab.com/c/d")
    assert repository_url(clone) == "https://gitlab.com/c/d"
    monkeypatch.setenv("DLN_REPOSITORY_URL", "")
    assert repository_url(clone) is None
