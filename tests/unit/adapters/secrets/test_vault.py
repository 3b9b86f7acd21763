from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.adapters.secrets.vault import VaultSecrets, vault_token
from antiphon.errors import SecretError
from antiphon.ports.secrets import Secret
from real_oidc import free_port
from real_vault import ROOT, RealVault, is_installed

pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="OpenBao is not installed: make tests/vault/.venv/.installed"),
    pytest.mark.xdist_group("vault"),
]
VALUE = "q7-token-nobody-may-see"


@pytest.fixture(scope="module")
def vault() -> Iterator[RealVault]:
    found = RealVault()
    found.put("antiphon/provider/ionq", token=VALUE, number=7)
    yield found
    found.close()


def source(vault: RealVault, token: str = ROOT) -> VaultSecrets:
    return VaultSecrets(vault.address, Secret(token))


def test_a_field_of_a_secret(vault: RealVault) -> None:
    assert source(vault).get("provider.ionq.token") == Secret(VALUE)


def test_the_newest_version(vault: RealVault) -> None:
    secrets = source(vault)
    vault.put("antiphon/provider/braket", token="first")
    assert secrets.get("provider.braket.token") == Secret("first")
    vault.put("antiphon/provider/braket", token="second")
    assert secrets.get("provider.braket.token") == Secret("second")
    vault.call("DELETE", "secret/data/antiphon/provider/braket")
    assert secrets.get("provider.braket.token") is None


def test_what_is_not_there(vault: RealVault) -> None:
    assert source(vault).get("provider.ionq.other") is None
    assert source(vault).get("provider.unknown.token") is None


def test_a_field_that_is_no_text(vault: RealVault) -> None:
    with pytest.raises(SecretError, match="no text"):
        source(vault).get("provider.ionq.number")


def test_a_wrong_token(vault: RealVault) -> None:
    with pytest.raises(SecretError) as refused:
        source(vault, "s.wrong-token").get("provider.ionq.token")
    assert "s.wrong-token" not in str(refused.value)
    assert VALUE not in str(refused.value)


def test_a_token_that_may_read_below_our_folder_and_nothing_else(vault: RealVault) -> None:
    vault.call("PUT", "sys/policies/acl/ours", {"policy": 'path "secret/data/antiphon/*" { capabilities = ["read"] }'})
    token = vault.call("POST", "auth/token/create", {"policies": ["ours"]})["auth"]["client_token"]
    vault.put("payroll/all", token="not ours")
    assert source(vault, token).get("provider.ionq.token") == Secret(VALUE)
    with pytest.raises(SecretError):
        VaultSecrets(vault.address, Secret(token), folder="payroll").get("all.all.token")


def test_a_vault_that_is_away() -> None:
    away = VaultSecrets(f"http://127.0.0.1:{free_port()}", Secret("t0p"))
    with pytest.raises(SecretError) as refused:
        away.get("provider.ionq.token")
    assert "t0p" not in str(refused.value)


def test_where_the_token_comes_from(tmp_path: Path) -> None:
    assert vault_token({"VAULT_TOKEN": "a"}) == Secret("a")
    path = tmp_path / "token"
    path.write_text("b\n")
    assert vault_token({"VAULT_TOKEN_FILE": str(path)}) == Secret("b")
    with pytest.raises(SecretError):
        vault_token({})
