"""`antiphon env azure` against a server: what it prints, what it keeps, and what it refuses."""

from __future__ import annotations

import ssl
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from antiphon.domain.identity import Role
from command_line import Ran, antiphon
from served import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server"), azure=True) as found:
        yield found


@pytest.fixture(autouse=True)
def no_proxy_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTIPHON_URL", "ANTIPHON_API_KEY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def env(home: Path, server: Served, *more: str, key: str | None = None) -> Ran:
    return antiphon(home, "env", "azure", "--url", server.url, "--key", key or server.key(), *more)


def test_it_says_all_that_a_program_needs(tmp_path: Path, server: Served) -> None:
    key = server.key()
    said = env(tmp_path, server, "--json", key=key).data
    assert (
        f"WorkspaceName=default;ApiKey={key};QuantumEndpoint=https://eastus-v2."
        in (said["AZURE_QUANTUM_CONNECTION_STRING"])
    )
    assert said["HTTPS_PROXY"] == said["https_proxy"] == server.url
    assert said["NO_PROXY"] == "127.0.0.1,localhost"
    assert said["QDK_PYTHON_TELEMETRY"] == "none"
    certificate = Path(said["REQUESTS_CA_BUNDLE"])
    assert certificate.parent == tmp_path
    assert "PRIVATE" not in certificate.read_text()
    assert ssl.create_default_context(cafile=str(certificate)).get_ca_certs()


def test_a_shell_can_evaluate_it_and_nothing_else_is_on_stdout(tmp_path: Path, server: Served) -> None:
    ran = env(tmp_path, server)
    assert all(line.startswith("export ") for line in ran.out.splitlines())
    assert "Workspaces/default" in ran.err
    shown = subprocess.run(
        ["bash", "-c", 'eval "$1"; env', "bash", ran.out], capture_output=True, text=True, check=True, env={}
    )
    assert f"HTTPS_PROXY={server.url}" in shown.stdout


def test_the_certificate_is_kept_once_for_a_server(tmp_path: Path, server: Served) -> None:
    first = env(tmp_path, server, "--json").data["REQUESTS_CA_BUNDLE"]
    assert env(tmp_path, server, "--json").data["REQUESTS_CA_BUNDLE"] == first
    assert [str(path) for path in tmp_path.glob("azure-ca-*")] == [first]


def test_hosts_that_went_round_a_proxy_before_still_do(
    tmp_path: Path, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example, localhost")
    assert env(tmp_path, server, "--json").data["NO_PROXY"] == "127.0.0.1,localhost,intranet.example"


def test_direct_mode_needs_no_proxy_and_says_what_to_write(tmp_path: Path, server: Served) -> None:
    ran = env(tmp_path, server, "--mode", "direct", "--json")
    assert not {"HTTPS_PROXY", "REQUESTS_CA_BUNDLE"} & set(ran.data)
    assert f'_quantum_endpoint="{server.url}/"' in ran.err
    assert not list(tmp_path.glob("azure-ca-*"))


def test_identity_mode_holds_no_connection_string(tmp_path: Path, server: Served) -> None:
    key = server.key()
    said = env(tmp_path, server, "--mode", "identity", "--json", key=key).data
    assert said["AZURE_QUANTUM_CONNECTION_STRING"] == ""
    assert said["IDENTITY_HEADER"] == key
    with httpx2.Client(trust_env=False) as client:
        assert client.get(said["IDENTITY_ENDPOINT"]).status_code == 401
        got = client.get(said["IDENTITY_ENDPOINT"], headers={"X-IDENTITY-HEADER": key}, params={"resource": "r"})
    assert got.headers["cache-control"] == "no-store"
    assert (got.json()["access_token"], got.json()["resource"], got.json()["token_type"]) == (key, "r", "Bearer")


def test_the_workspace_is_the_keys_own(tmp_path: Path, server: Served) -> None:
    key = server.key(workspace="team-1")
    assert env(tmp_path, server, "--json", key=key).data["AZURE_QUANTUM_WORKSPACE_NAME"] == "team-1"
    assert env(tmp_path, server, "--workspace", "Team-1", key=key).code == 0
    other = env(tmp_path, server, "--workspace", "team-2", key=key)
    assert (other.code, other.out) == (4, "")
    assert "opens the workspace team-1" in other.err


def test_key_and_url_may_stand_in_the_environment(
    tmp_path: Path, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTIPHON_URL", server.url)
    monkeypatch.setenv("ANTIPHON_API_KEY", server.key())
    assert antiphon(tmp_path, "env", "azure", "--json").data["HTTPS_PROXY"] == server.url


def test_what_is_wrong_is_said_and_nothing_is_exported(tmp_path: Path, server: Served) -> None:
    wrong_key = env(tmp_path, server, key="ant_wrong")
    no_key = antiphon(tmp_path, "env", "azure", "--url", server.url)
    nobody = antiphon(tmp_path, "env", "azure", "--url", "http://127.0.0.1:9", "--key", "ant_x")
    assert [ran.code for ran in (wrong_key, no_key, nobody)] == [4, 4, 7]
    for ran in (wrong_key, no_key, nobody):
        assert ran.out == ""
        assert "next step" in ran.err
        assert "ant_" not in ran.err.replace("from ant_ to its end", "")


def test_a_server_without_the_protocol_says_how_to_switch_it_on(tmp_path: Path) -> None:
    with served(tmp_path / "server") as plain:
        ran = env(tmp_path, plain)
    assert (ran.code, ran.out) == (7, "")
    assert "serve --azure" in ran.err


def test_a_server_behind_another_cannot_be_the_proxy(tmp_path: Path) -> None:
    with served(tmp_path / "server", azure=True, behind_proxy=True) as hidden:
        ran = env(tmp_path, hidden)
        direct = env(tmp_path, hidden, "--mode", "direct")
    assert (ran.code, ran.out) == (1, "")
    assert "--mode direct" in ran.err
    assert direct.code == 0


def test_the_key_of_the_authority_stays_in_the_servers_folder(server: Served) -> None:
    # The authority is made when somebody first asks for it.
    with server.client(Role.VIEWER) as client:
        assert "PRIVATE" not in client.get("/azure/connection").text
    home = server.services.running.home
    assert stat.S_IMODE((home / "azure-ca.pem").stat().st_mode) == 0o600
    anybody = server.client()
    anybody.headers.pop("authorization")
    with anybody:
        assert anybody.get("/azure/connection").status_code == 401
