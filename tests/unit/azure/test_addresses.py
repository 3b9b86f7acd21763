from __future__ import annotations

import pytest

from antiphon.azure.addresses import connection_string, resource_id
from antiphon.errors import LimitError


def test_a_resource_id_names_the_workspace() -> None:
    assert resource_id("team-1").endswith("/providers/Microsoft.Quantum/Workspaces/team-1")


@pytest.mark.parametrize("name", ["a", "a" * 55, "-a", "a-", "a_b", "ä1", "a b", ""])
def test_a_name_that_azure_forbids_is_refused(name: str) -> None:
    with pytest.raises(LimitError, match="take no workspace named"):
        resource_id(name)


@pytest.mark.parametrize("key", ["", "a;b", "a b", "a\n"])
def test_a_key_that_would_change_the_connection_string_is_refused(key: str) -> None:
    with pytest.raises(LimitError) as refused:
        connection_string(key)
    assert key not in str(refused.value) or not key
