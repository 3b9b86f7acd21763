"""Rules of the house that a tool can hold: sizes, who assigns a status, what an import costs, what is public."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import antiphon
from antiphon import errors

SOURCE = Path(antiphon.__file__).parent
FILES = sorted(path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts)
READING_BACK = ("rows.py", "facts.py")
"""They make facts of what was stored or sent, and decide nothing."""
SDKS = ("qiskit", "cirq", "qdk", "qsharp", "pyqir", "stim", "qsimcirq", "pennylane", "scipy", "matplotlib")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_file_has_two_jobs(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_only_the_domain_decides_a_status() -> None:
    """A status is passed to a job, session or item in the domain alone, by what its table says."""
    kinds = {"Job", "Session", "BatchItem"}
    found = []
    for path in FILES:
        if path.parent.name == "domain" or path.name in READING_BACK:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in {*kinds, "evolve", "replace"} and any(keyword.arg == "status" for keyword in node.keywords):
                found.append(f"{path.relative_to(SOURCE)}:{node.lineno}")
    assert found == []


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_importing_antiphon_imports_nothing_large() -> None:
    loaded = loaded_by("import antiphon")
    assert not loaded & {*SDKS, "sqlalchemy", "numpy", "pydantic", "rich", "typer"}


def test_a_workspace_imports_no_sdk() -> None:
    loaded = loaded_by("from antiphon import Workspace")
    assert not loaded & set(SDKS)


@pytest.mark.parametrize("name", antiphon.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(antiphon, name)
    assert name == "__version__" or value.__doc__


def test_every_error_has_a_code_of_its_own_and_says_when() -> None:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AntiphonError)
    ]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.__doc__ for kind in kinds)


def test_an_error_survives_the_way_between_processes() -> None:
    import pickle

    error = errors.LimitError("too much", cause="c", next_step="n", code="x", details={"a": 1})
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.to_dict()) == (type(error), error.to_dict())
    assert str(again) == "too much\n  cause: c\n  next step: n"
