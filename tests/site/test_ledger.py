"""The ledger lists every verified result, and says so loudly when one is missing."""

import json
import re
from pathlib import Path

import pytest
from _pages import ROOT, soup
from dln_ledger import Entry, complaints, parse_records, read_ledger

LABEL = re.compile(r"\((eq-[a-z0-9-]+)\)\s*$", re.M)


def stated() -> dict[str, set[str]]:
    """Labels of the results in each chapter's source."""
    files = sorted((ROOT / "chapters").glob("[0-9]*.md"))
    return {f"chapters/{path.stem}": set(LABEL.findall(path.read_text(encoding="utf-8"))) for path in files}


def test_ledger_holds_every_result_and_nothing_else(site):
    listed: dict[str, set[str]] = {}
    for row in read_ledger(site):
        listed.setdefault(row["docname"], set()).add(row["label"])
    assert listed == {name: labels for name, labels in stated().items() if labels}


def test_ledger_is_long_and_covers_every_chapter(site):
    rows = read_ledger(site)
    assert len({row["label"] for row in rows}) >= 40
    assert {row["docname"] for row in rows} == set(stated())


def test_every_comparison_is_within_what_is_allowed(site):
    for row in read_ledger(site):
        assert 0 <= row["error"] <= row["allowed"], row
        assert row["n_values"] >= 1
        assert len(row["how"]) >= 10
        assert re.fullmatch(r"\d+\.\d+", row["number"]), row


def test_page_shows_the_same_rows_as_the_file(site):
    page, rows = soup(site / "ledger.html"), read_ledger(site)
    shown = [tr.find("code").get_text() for tr in page.select("table.dln-ledger tbody tr")]
    assert shown == [row["label"] for row in rows]
    assert f"{len({row['label'] for row in rows})} results, {len(rows)} comparisons" in page.get_text()
    targets = [a["href"] for a in page.select("table.dln-ledger a")]
    assert targets == [f"{row['docname']}.html#equation-{row['label']}" for row in rows]


def test_number_is_the_one_beside_the_equation(site):
    rows = read_ledger(site)
    pages = {name: soup(site / f"{name}.html") for name in {row["docname"] for row in rows}}
    equations = {name: {node["id"]: node for node in page.find_all("div", id=True)} for name, page in pages.items()}
    for row in rows:
        equation = equations[row["docname"]][f"equation-{row['label']}"]
        assert f"({row['number']})" in equation.get_text(), row["label"]


# -- its parts -------------------------------------------------------------------------------------------------------

ENTRY = Entry("eq-a", "closed form <against> flow", 3, 1e-12, 1e-9, "largest relative error")


def test_records_come_back_out_of_the_html():
    from dlnlib.verify import verify

    shown = verify("eq-a", [1.0, 2.0], [1.0, 2.0], rtol=1e-9, how='closed "form" <against> flow & more')
    (entry,) = parse_records(f"<p>before</p>{shown._repr_html_()}<div class='other'></div>")
    assert (entry.label, entry.how, entry.n_values) == ("eq-a", 'closed "form" <against> flow & more', 2)


@pytest.mark.parametrize(
    ("stated", "ledger", "words"),
    [
        ({"eq-a": "one"}, {}, ["eq-a has no verification"]),
        ({}, {"one": [ENTRY]}, ["names no equation"]),
        ({"eq-a": "two"}, {"one": [ENTRY]}, ["no verification", "names no equation"]),
        ({"eq-a": "one"}, {"one": [ENTRY, ENTRY]}, []),
    ],
)
def test_complaints(stated, ledger, words):
    found = [message for _, message in complaints(stated, ledger)]
    assert len(found) == len(words)
    assert all(word in message for word, message in zip(words, found, strict=True))


def test_ledger_file_is_json_with_one_row_a_comparison(tmp_path: Path):
    (tmp_path / "ledger.json").write_text(json.dumps([{"label": "eq-a"}]))
    assert read_ledger(tmp_path) == [{"label": "eq-a"}]
