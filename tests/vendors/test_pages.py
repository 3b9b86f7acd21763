"""The pages on other vendors, run as their readers would; each vendor's beside its other tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.adapters.targets.vendors.settings import FILE
from ionq_service import KEY, IonqService
from page_runner import run_page
from vendor_labs import environment_of

HOWTO = Path(__file__).parents[2] / "docs" / "howto"


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("page", "vendor"),
    [
        pytest.param("azure-provider", "azure", marks=[pytest.mark.xdist_group("vendor-azure")]),
        pytest.param("ibm", "ibm", marks=[pytest.mark.xdist_group("vendor-ibm"), pytest.mark.soak]),
        pytest.param("braket", "braket", marks=[pytest.mark.xdist_group("vendor-braket"), pytest.mark.soak]),
        pytest.param("iqm", "iqm", marks=[pytest.mark.xdist_group("vendor-iqm"), pytest.mark.soak]),
    ],
)
def test_a_page_runs_as_it_stands(page: str, vendor: str, tmp_path: Path) -> None:
    environment_of(vendor)  # what could not be installed for the tests cannot be installed by a page
    printed = run_page((HOWTO / f"{page}.md").read_text(encoding="utf-8"), tmp_path)
    assert "'00'" in printed
    assert f"{vendor}." in printed


@pytest.mark.soak
@pytest.mark.xdist_group("vendor-ionq")
@pytest.mark.timeout(300)
def test_the_page_of_ionq_with_what_stands_in_for_its_service(ionq_service: IonqService, tmp_path: Path) -> None:
    """The one difference: the section is there already, with the address of the stand-in."""
    (tmp_path / "lab").mkdir()
    section = f'[ionq]\nurl = "{ionq_service.url}"\n[ionq.secrets]\napi_key = "provider.ionq.key"\n'
    (tmp_path / "lab" / FILE).write_text(section)
    printed = run_page((HOWTO / "ionq.md").read_text(encoding="utf-8"), tmp_path, IONQ_API_KEY=KEY)
    assert printed.count("'00'") == 2
    assert "ionq.simulator" in printed
