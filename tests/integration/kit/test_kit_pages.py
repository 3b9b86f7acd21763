"""The pages on verifying targets and on resources: their commands run, and they name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from antiphon.adapters.estimators.qubit_models import QUBIT_MODELS
from antiphon.client.kit import CHECKS
from antiphon.client.resources import QUBIT_MODEL
from page_runner import run_page

pytestmark = pytest.mark.timeout(300)

HOWTO = Path(__file__).parents[3] / "docs" / "howto"


def text_of(name: str) -> str:
    return (HOWTO / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "printed"), [("verify-a-target.md", "double-submit"), ("estimate-resources.md", "code distance")]
)
def test_a_page_of_commands(name: str, printed: str, tmp_path: Path) -> None:
    commands = re.sub(r"^```python\n.*?^```", "", text_of(name), flags=re.DOTALL | re.MULTILINE)
    assert printed in run_page(commands, tmp_path)


def test_the_page_has_every_check_as_it_is() -> None:
    page = text_of("verify-a-target.md")
    for check in CHECKS:
        assert f"| `{check.name}` | {check.promise} | {check.peers} |" in page


def test_the_page_has_every_qubit_model() -> None:
    page = text_of("estimate-resources.md")
    assert all(f"`{name}`" in page for name in QUBIT_MODELS)
    assert f"`{QUBIT_MODEL}` (default)" in page
