"""One lab a vendor for all the tests, since an SDK takes seconds to start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from holding_relay import HoldingRelay
from ionq_service import KEY, IonqService
from real_server import RealServer, real_server
from vendor_labs import PATIENCE_S, Lab, azure_section, environment_of, ionq_section, lab

ONE = "OPENQASM 3.0; qubit q; bit c; U(1.0, 0, 0) q; c = measure q;"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """Another Antiphon, which speaks Azure's protocol."""
    environment_of("azure")
    with real_server(tmp_path_factory.mktemp("server") / "home", "--azure") as running:
        yield running


@pytest.fixture(scope="session")
def relay(server: RealServer) -> Iterator[HoldingRelay]:
    at = urlsplit(server.url)
    assert at.hostname is not None
    assert at.port is not None
    between = HoldingRelay(at.hostname, at.port)
    yield between
    between.close()


@pytest.fixture(scope="session")
def azure(server: RealServer, relay: HoldingRelay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with lab(folder, "azure", azure_section(folder, relay.url, server.key)) as opened:
        yield opened


@pytest.fixture(scope="session")
def ionq_service() -> Iterator[IonqService]:
    """What stands in for IonQ."""
    environment_of("ionq")
    service = IonqService()
    yield service
    service.close()


@pytest.fixture(scope="session")
def ionq_relay(ionq_service: IonqService) -> Iterator[HoldingRelay]:
    between = HoldingRelay(ionq_service.host, ionq_service.port)
    yield between
    between.close()


@pytest.fixture(scope="session")
def ionq(
    ionq_service: IonqService, ionq_relay: HoldingRelay, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with lab(folder, "ionq", ionq_section(folder, f"{ionq_relay.url}/v0.4", KEY)) as opened:
        # Its first compilation imports what takes longer on a busy machine than handing over may last.
        opened.ws.target("ionq.simulator").submit(ONE, shots=1).wait(PATIENCE_S)
        yield opened


def _local(folder: Path, vendor: str, more: str = "") -> Iterator[Lab]:
    with lab(folder, vendor, f'mode = "local"\nsend_timeout_s = 5\n{more}') as opened:
        yield opened


@pytest.fixture(scope="session")
def braket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    yield from _local(tmp_path_factory.mktemp("lab"), "braket")


@pytest.fixture(scope="session")
def ibm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    yield from _local(tmp_path_factory.mktemp("lab"), "ibm")


@pytest.fixture(scope="session")
def iqm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    yield from _local(tmp_path_factory.mktemp("lab"), "iqm", 'targets = ["fake_adonis", "fake_deneb"]\n')
