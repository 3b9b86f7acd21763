import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "chemistry: recomputes a molecule with PennyLane (about 10 s to import; -m 'not chemistry' skips it)"
    )
