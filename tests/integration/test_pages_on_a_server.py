"""The pages about a server tell the truth: every command and every line of Python in them runs, on a real server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from page_runner import run_page

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[2]
MICROSOFTS = ROOT / "tests" / "wire" / ".venv" / "bin" / "python"


def test_the_tutorial_of_a_server(tmp_path: Path) -> None:
    printed = run_page((ROOT / "docs/tutorials/serve.md").read_text(encoding="utf-8"), tmp_path)
    assert '"counts":[{"00":513,"11":487}]' in printed
    assert "idempotent-replayed: true" in printed
    assert "Succeeded with 5 jobs" in printed
    assert "every count and value is the same to the bit" in printed
    assert "job.succeeded job_" in printed
    assert "webhook.create" in printed


@pytest.mark.parametrize("name", ["limits", "oidc", "queues"])
def test_a_page_of_commands(name: str, tmp_path: Path) -> None:
    printed = run_page((ROOT / f"docs/howto/{name}.md").read_text(encoding="utf-8"), tmp_path)
    if name == "limits":
        assert 'ratelimit-policy: "default-1";q=100;w=1, "default-60";q=3000;w=60' in printed
        assert re.search(r'ratelimit: "default-1";r=99;t=\d, "default-60";r=2999;t=\d+', printed)


def test_the_page_on_azure_runs_with_microsofts_packages(tmp_path: Path) -> None:
    if not MICROSOFTS.exists():
        pytest.skip("Microsoft's packages are not installed: make test installs them into tests/wire")
    text = (ROOT / "docs/howto/azure.md").read_text(encoding="utf-8")
    printed = run_page(text, tmp_path, python=str(MICROSOFTS))
    assert "[0, 0]" in printed or "[1, 1]" in printed
    assert re.search(r"job_\w+ +bell +sim\.auto +Succeeded", printed)


def test_the_readme_on_servers(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(r"^## A server for your team\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)
    assert section is not None
    printed = run_page(section[1] + "```console\n$ env\n```\n", tmp_path)
    assert '"counts":[{"00":513,"11":487}]' in printed
    assert "{'00': 513, '11': 487}" in printed
    assert "AZURE_QUANTUM_CONNECTION_STRING=" in printed


def test_the_readme_on_the_command_line(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(r"^## On the command line\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)
    assert section is not None
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    first = '"$(antiphon jobs list --json | python -c \'import json, sys; print(json.load(sys.stdin)[0]["id"])\')"'
    printed = run_page(section[1].replace("job_01K…", first), tmp_path, ANTIPHON_HOME=str(tmp_path / "lab"))
    assert "every count and value is the same to the bit" in printed


def test_the_page_on_keys_and_members(tmp_path: Path) -> None:
    text = (ROOT / "docs/howto/keys-and-members.md").read_text(encoding="utf-8")
    first = '"$(antiphon keys list --json | python -c \'import json, sys; print(json.load(sys.stdin)[0]["id"])\')"'
    printed = run_page(text.replace("key_01M7ZF2T", first), tmp_path, ANTIPHON_HOME=str(tmp_path / "lab"))
    assert re.search(r"key\.revoke +key_", printed)


def test_the_page_on_quotas(tmp_path: Path) -> None:
    text = (ROOT / "docs/howto/quotas-and-usage.md").read_text(encoding="utf-8")
    printed = run_page(text, tmp_path, ANTIPHON_HOME=str(tmp_path / "lab"))
    assert re.search(r"shots a month +all +1,000,000", printed)


def test_the_page_on_retention(tmp_path: Path) -> None:
    text = (ROOT / "docs/howto/retention.md").read_text(encoding="utf-8")
    moved = text.replace("/tmp/antiphon-archive", str(tmp_path / "elsewhere"))
    printed = run_page(moved, tmp_path, ANTIPHON_HOME=str(tmp_path / "lab"))
    assert "only counts" in printed


def test_the_commands_of_the_page_on_working_remotely(tmp_path: Path) -> None:
    text = (ROOT / "docs/howto/remote.md").read_text(encoding="utf-8")
    (tmp_path / "bell.qasm").symlink_to(ROOT / "examples" / "bell.qasm")
    commands_alone = re.sub(r"^```python\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    made = '"$(antiphon keys create me --role submitter --home lab)"'
    printed = run_page(commands_alone.replace("/srv/antiphon", "lab").replace("ant_…", made, 1), tmp_path)
    assert re.search(r"bell +sim\.auto +Succeeded", printed)
