"""The docs tell the truth: their Python runs, and what they name exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from antiphon import Workspace
from antiphon.adapters.targets.sim.engines.running import _ENGINES
from antiphon.cli.main import app
from antiphon.composition import load_drivers
from real_postgres import RealPostgres
from workspaces import SharedServer

ROOT = Path(__file__).parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "bench" / "README.md"})
TEN_LINES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("ten_lines_*.py")}
SERVED = {"serve.md", "azure.md", "azure-provider.md", "ibm.md", "braket.md", "ionq.md", "iqm.md"}
"""Run with their commands, in test_pages_on_a_server.py and tests/vendors/test_pages.py."""
BELL = "OPENQASM 3.0; qubit[1] q; U(1.0, 0, 0) q[0]; bit[1] c = measure q;"


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def python_of(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)


def needs_a_server(block: str) -> bool:
    return "127.0.0.1:8000" in block and "#" not in block.partition("127.0.0.1:8000")[0].rpartition("\n")[2]


def without_docstring(source: str) -> str:
    return source.partition('"""\n\n')[2]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


# --- what they run


def run_page(page: Path, folder: Path, **environment: str) -> None:
    """The Python blocks of a page are one program, top to bottom."""
    ten_lines = {without_docstring(source) for source in TEN_LINES.values()}  # these are run as examples
    script = folder / "page.py"
    own = [block for block in python_of(page) if block not in ten_lines and not needs_a_server(block)]
    script.write_text("\n".join(own), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=folder,
        env={**os.environ, "ANTIPHON_HOME": str(folder / "data"), "QDK_PYTHON_TELEMETRY": "none", **environment},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if python_of(page) and page.name not in SERVED | {"postgresql.md", "remote.md"}],
    ids=name_of,
)
def test_the_python_of_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    run_page(page, tmp_path)


def test_the_page_on_postgresql_runs_on_postgresql(tmp_path: Path, postgres_server: RealPostgres) -> None:
    url = postgres_server.database()
    run_page(ROOT / "docs" / "howto" / "postgresql.md", tmp_path, ANTIPHON_DATABASE=url)
    with Workspace(tmp_path / "lab", database=url, dispatch=False) as ws:
        assert len(ws.jobs()) == 1
    assert not (tmp_path / "lab" / "antiphon.db").exists()


def test_the_page_on_servers_runs_on_a_server(tmp_path: Path, shared_server: SharedServer) -> None:
    url, key = shared_server.server.url, shared_server.new_key()
    run_page(ROOT / "docs" / "howto" / "remote.md", tmp_path, ANTIPHON_URL=url, ANTIPHON_API_KEY=key)
    with Workspace(url, api_key=key) as ws:
        assert len(ws.jobs()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", sorted(TEN_LINES))
def test_the_readme_shows_the_ten_lines_as_they_are_run(name: str) -> None:
    assert without_docstring(TEN_LINES[name]) in python_of(ROOT / "README.md")


# --- what they name


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL))
    for link in links:
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", text_of(target), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}, link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_are_named_exist(page: Path) -> None:
    for path in re.findall(r"`((?:src|docs|tests|examples|bench|\.ci)/[\w./-]*)`", text_of(page)):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_verbs_that_are_named_exist(page: Path) -> None:
    verbs = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:`|\$ )make ([a-z-]+)", text_of(page))
    assert set(named) <= verbs
    if page.name == "CONTRIBUTING.md":
        assert verbs - {"help"} <= set(named)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_that_are_named_exist(page: Path) -> None:
    root: Any = typer.main.get_command(app)
    for words in re.findall(r"(?:`|\$ )(?:\.venv/bin/)?antiphon ((?:[a-z][\w-]*|--[\w-]+| )+)", text_of(page)):
        command = root
        path: list[str] = []
        for word in words.split():
            options = {name for parameter in command.params for name in parameter.opts}
            if word.startswith("--"):
                assert word in options | {"--help"}, (path, word)
            elif getattr(command, "commands", None):
                assert word in command.commands, (path, word)
                command, path = command.commands[word], [*path, word]


# --- what the reference must hold


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def codes_in_sources() -> Iterator[str]:
    """By the words alone, not as the generator does it."""
    for path in (ROOT / "src" / "antiphon").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        yield from re.findall(r"""\bcode(?:=|["']: | = )"([a-z]+(?:-[a-z]+)*)\"""", text)
        yield from re.findall(r"\"(store-[a-z]+)\"", text)


def test_every_error_code_is_documented() -> None:
    # Those of /readyz are of no error; they stand where the operator looks.
    pages = (ROOT / "docs" / "reference" / "errors.md", ROOT / "docs" / "howto" / "operate.md")
    documented = {code for page in pages for code in re.findall(r"`([a-z-]+)`", text_of(page))}
    # "cancelled" is Azure's word for an item of a batch, in its own document.
    assert {*codes_in_sources()} - {"error", "cancelled"} <= documented


def test_every_target_option_and_engine_is_documented() -> None:
    page = text_of(ROOT / "docs" / "reference" / "targets.md")
    for name, driver in load_drivers().items():
        assert f"| `{name}` |" in page
        for option in driver.info.options:
            row = next(line for line in page.splitlines() if line.startswith(f"| `{option}` |"))
            family = f"`{name.partition('.')[0]}.*`"
            assert f"`{name}`" in row or family in row or "| all |" in row, (name, option)
    for engine in _ENGINES:
        assert f"`{engine}`" in page


def test_the_record_has_the_fields_that_are_documented(ws: Workspace) -> None:
    page = text_of(ROOT / "docs" / "reference" / "record.md")
    sections = dict(re.findall(r"^#+ (.*?)\n(.*?)(?=^#|\Z)", page, re.DOTALL | re.MULTILINE))

    def fields(section: str) -> set[str]:
        cells = re.findall(r"^\| (`.*?) \|", sections[section], re.MULTILINE)
        return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

    record = ws.target("sim.auto").submit(BELL, shots=10).record
    assert set(record) == fields("The record of a job")
    assert set(record["pubs"][0]) == fields("A pub")
    assert set(next(iter(record["programs"].values()))) == fields("A program")
    provenance = set(re.findall(r"`(\w+)`", sections["Provenance"]))
    assert {*record["provenance"], *record["provenance"]["plan"]} <= provenance
    outcome = re.search(r"Counts: `\{(.*?)\}`", sections["An outcome"])
    assert outcome is not None
    assert set(record["result"][0]) == set(re.findall(r"\"(\w+)\": (?!\d)", outcome[1]))


def test_the_commands_of_the_reference_are_all_there() -> None:
    page = text_of(ROOT / "docs" / "reference" / "cli.md")
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        for path in getattr(command, "commands", None) or [""]:
            assert command.hidden or f"## antiphon {name} {path}".rstrip() in page
