from __future__ import annotations

from importlib.util import find_spec

import pytest

from antiphon import azure
from antiphon.errors import MissingExtraError

KEY = "ant_secret"


@pytest.mark.skipif(find_spec("azure") is not None, reason="tests/wire covers the case where the packages are there")
@pytest.mark.parametrize("make", [azure.workspace, azure.service, azure.provider])
def test_without_microsofts_packages_it_says_how_to_get_a_set_that_works(make: object) -> None:
    assert callable(make)
    with pytest.raises(MissingExtraError) as refused:
        make("http://127.0.0.1:1", KEY)
    assert "azure-quantum[qiskit,cirq]" in refused.value.next_step
    assert KEY not in str(refused.value)
