"""How the library hangs together: imports go down, private names stay at home, what docstrings name exists."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dlnlib as dln

LIBRARY = Path(dln.__file__).parent
CHAPTERS = LIBRARY.parent / "chapters"

# From the bottom up; a module may import what stands below it, and a folder its own modules.
LAYERS = (
    ("_validate",),
    ("_linalg", "_stored", "plotting", "verify"),
    ("_spectrum", "moments"),
    ("_unchecked",),
    ("_reduce",),
    ("_task",),
    ("_flow",),
    ("datasets", "network", "propagation", "trajectory"),
    ("expanded", "hessian", "lowrank", "measure"),
    ("simulate",),
    ("exact", "initialise"),
    ("completion", "disentanglement", "gated", "global_gates", "landscape", "semantic", "generalisation", "slt"),
    ("rectified",),
    ("figures", "explore"),
    ("exercises",),
)
HEIGHT = {name: height for height, layer in enumerate(LAYERS) for name in layer}
APART = {"__init__", "chapter_map"}  # the front door, and a drawing of the book that needs nothing of the library
MODULES = sorted(LIBRARY.rglob("*.py"))


def name_of(path):
    return ".".join(path.relative_to(LIBRARY).with_suffix("").parts)


def imports(path):
    """Return (module below dlnlib, name or None) for every import of the library in a file, wherever it stands."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path.name}: write imports from dlnlib in full"
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "dlnlib":
            below = node.module.removeprefix("dlnlib").lstrip(".")
            for alias in node.names:
                found.append((below, alias.name) if below else (alias.name, None))
        elif isinstance(node, ast.Import):
            found += [(a.name.removeprefix("dlnlib."), None) for a in node.names if a.name.startswith("dlnlib.")]
    return found


def test_every_module_has_its_layer():
    assert {name_of(path).split(".")[0] for path in MODULES} == HEIGHT.keys() | APART


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down(path):
    home = name_of(path).split(".")[0]
    for module, _ in imports(path):
        other = module.split(".")[0]
        if home != other and home not in APART:
            assert HEIGHT[other] < HEIGHT[home], f"{home} imports {other}, which does not stand below it"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_private_names_stay_in_their_module(path):
    home = name_of(path).split(".")[0]
    for module, name in imports(path):
        if name and name.startswith("_"):
            assert module == home, f"{name} of {module} is private; give it a home in a private module"
        inner = [part for part in module.split(".")[1:] if part.startswith("_")]
        assert not inner or module.split(".")[0] == home, f"{module} belongs to its folder alone"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr):
            owner = ast.unparse(node.value)
            assert owner in ("self", "cls"), f"{owner}.{node.attr} is private"


@pytest.mark.parametrize("path", sorted((LIBRARY / "exercises").glob("ch*.py")), ids=name_of)
def test_chapters_checkers_know_no_other_chapter(path):
    for module, name in imports(path):
        assert not re.search(r"(^|\.)ch\d\d", f"{module}.{name}"), f"{path.name} imports {module}.{name}"


def labels_in_chapters():
    text = "\n".join(path.read_text(encoding="utf-8") for path in CHAPTERS.glob("[0-9]*.md"))
    return set(re.findall(r"^\$\$ \(([a-z]+-[a-z0-9-]+)\)$", text, re.MULTILINE))


def docstrings():
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
                yield f"{name_of(path)}.{getattr(node, 'name', '')}", ast.get_docstring(node)


def test_labels_in_docstrings_stand_in_a_chapter():
    known = labels_in_chapters()
    assert len(known) > 50
    named = [
        (where, label) for where, text in docstrings() for label in re.findall(r"\b(?:eq|def|step)-[a-z0-9-]*[a-z0-9]", text)
    ]
    assert len(named) > 40
    assert [pair for pair in named if pair[1] not in known] == []


# Arguments that mean the same everywhere: chapters and the package's docstring say what they are.
EVERYWHERE = {"moments", "weights", "widths", "rng", "ax", "x", "y", "kwargs"}
PUBLIC = [(name, public) for name in dln._SUBMODULES for public in getattr(dln, name).__all__]


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_docstrings_name_every_argument(module, name):
    function = getattr(getattr(dln, module), name)
    if inspect.isfunction(function):
        missing = [p for p in inspect.signature(function).parameters if p not in EVERYWHERE and p not in function.__doc__]
        same_as = re.search(r"[Aa]rguments[^.]* as (in|there)|[Aa]rguments as", function.__doc__)
        assert not missing or same_as, f"{module}.{name} does not say what {missing} are"


def test_import_is_light():
    code = "import time, numpy; begin = time.perf_counter(); import dlnlib; print(time.perf_counter() - begin)"
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True) for _ in range(5)]
    # The quickest of several: a busy machine slows single ones down.
    assert min(float(run.stdout) for run in runs) < 0.2
