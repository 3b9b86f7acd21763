"""How Microsoft's clients find the server, in every mode, and what they are told when they may not."""

from __future__ import annotations

import importlib.metadata

import pytest
import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.quantum import Workspace
from azure.quantum.cirq import AzureQuantumService
from azure.quantum.qiskit import AzureQuantumProvider

import antiphon.azure
from server_under_test import Tenant
from wire_programs import ended, ionq, submit_bell, target_of


def names(workspace: Workspace) -> set[str]:
    return {target.name for target in workspace.get_targets()}


def use(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_the_packages_are_those_that_the_lock_names() -> None:
    found = {name: importlib.metadata.version(name) for name in ("azure-quantum", "qdk", "cirq-ionq")}
    assert found == {"azure-quantum": "3.13.0", "qdk": "1.33.1", "cirq-ionq": found["cirq-ionq"]}
    assert found["cirq-ionq"].startswith("1.6.")


def test_the_helper_gives_the_genuine_class(tenant: Tenant) -> None:
    workspace = tenant.connect()
    assert type(workspace) is Workspace
    listed = names(workspace)
    assert {"sim.auto", "sim.statevector"} <= listed
    assert {"ionq.simulator", "quantinuum.sim.h2-1e", "rigetti.sim.qvm"} <= listed


@pytest.mark.parametrize("form", ["slash", "no slash", "localhost"])
def test_mode_a_written_out_by_hand(tenant: Tenant, form: str) -> None:
    url = {
        "slash": tenant.server.url + "/",
        "no slash": tenant.server.url,
        "localhost": tenant.server.url.replace("127.0.0.1", "localhost"),
    }[form]
    workspace = Workspace(
        resource_id=antiphon.azure.resource_id(tenant.name),
        location="eastus",
        credential=AzureKeyCredential(tenant.key),
        _quantum_endpoint=url,
    )
    assert ended(submit_bell(ionq(workspace))).details.status == "Succeeded"


def test_mode_a2_takes_the_key_from_the_environment(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, tenant.environment("direct"))
    workspace = Workspace(_quantum_endpoint=tenant.server.url)
    assert ended(submit_bell(ionq(workspace))).details.status == "Succeeded"


@pytest.mark.parametrize("resource_id", ["", None, "own"])
def test_mode_b_needs_nothing_in_the_program(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, resource_id: str | None
) -> None:
    use(monkeypatch, tenant.environment("proxy"))
    workspace = Workspace(resource_id=antiphon.azure.resource_id(tenant.name) if resource_id == "own" else resource_id)
    # Microsoft's client forgets the kind of a workspace whose connection string is in the environment, and then lists
    # providers that it knows, and no other; asked for by name, ours is there.
    assert "ionq.simulator" in names(workspace)
    assert target_of(workspace, "sim.auto").provider_id == "antiphon"
    job = ended(submit_bell(ionq(workspace)))
    assert set(job.get_results()["histogram"]) == {"0", "3"}


def test_mode_b_is_not_led_astray_by_a_cloud_workspace_in_the_shell(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_QUANTUM_SUBSCRIPTION_ID", "11111111-2222-3333-4444-555555555555")
    monkeypatch.setenv("AZURE_QUANTUM_WORKSPACE_NAME", "in-the-cloud")
    monkeypatch.setenv("AZURE_QUANTUM_WORKSPACE_LOCATION", "westeurope")
    use(monkeypatch, tenant.environment("proxy"))
    workspace = Workspace()
    assert workspace.name == tenant.name
    assert "ionq.simulator" in names(workspace)


def test_in_mode_b_a_connection_string_works_in_the_program(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = tenant.environment("proxy")
    written_out = variables.pop("AZURE_QUANTUM_CONNECTION_STRING")
    use(monkeypatch, variables)
    assert "sim.auto" in names(Workspace.from_connection_string(written_out))


@pytest.mark.parametrize("by", ["resource id", "name"])
def test_mode_b2_signs_in_as_on_azure(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """DefaultAzureCredential, the resource manager, the resource graph: all of it is answered here."""
    use(monkeypatch, tenant.environment("identity"))
    if by == "name":
        for name in ("AZURE_QUANTUM_SUBSCRIPTION_ID", "AZURE_QUANTUM_WORKSPACE_RG", "AZURE_QUANTUM_WORKSPACE_LOCATION"):
            monkeypatch.delenv(name)
        workspace = Workspace(name=tenant.name)
    else:
        workspace = Workspace(resource_id=antiphon.azure.resource_id(tenant.name))
    assert {"sim.auto", "ionq.simulator"} <= names(workspace)
    assert ended(submit_bell(ionq(workspace))).details.status == "Succeeded"


def test_mode_b2_with_a_wrong_key(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, tenant.environment("identity") | {"IDENTITY_HEADER": "ant_wrong"})
    with pytest.raises(HttpResponseError, match="not an Antiphon key") as refused:
        Workspace(resource_id=antiphon.azure.resource_id(tenant.name))
    assert refused.value.status_code == 401


def test_the_proxy_leads_nowhere_else(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, tenant.environment("proxy"))
    with pytest.raises(requests.exceptions.ProxyError, match="Antiphon"):
        requests.get("https://example.com/", timeout=10)


def test_helpers_for_cirq_and_qiskit(tenant: Tenant) -> None:
    service = antiphon.azure.service(tenant.server.url, tenant.key, workspace=tenant.name)
    provider = antiphon.azure.provider(tenant.server.url, tenant.key, workspace=tenant.name)
    assert (type(service), type(provider)) == (AzureQuantumService, AzureQuantumProvider)
    assert service.get_target("ionq.simulator") is not None
    assert provider.get_backend("ionq.simulator") is not None


@pytest.mark.parametrize("key", ["wrong", "ant_01m7zf3p7b8e9wv3bzzs1txgaa_aaaa"])
def test_a_wrong_key_opens_nothing(tenant: Tenant, key: str) -> None:
    workspace = antiphon.azure.workspace(tenant.server.url, key, workspace=tenant.name)
    with pytest.raises(ClientAuthenticationError) as refused:
        workspace.list_jobs()
    assert refused.value.error.code
    assert refused.value.error.message


def test_a_key_opens_its_own_workspace_alone(tenant: Tenant) -> None:
    other = tenant.server.tenant("other-team")
    for key, name in ((tenant.key, other.name), (other.key, tenant.name)):
        stranger = antiphon.azure.workspace(tenant.server.url, key, workspace=name)
        for ask in (stranger.list_jobs, stranger.get_targets, stranger.list_top_level_items, stranger.get_quotas):
            with pytest.raises(HttpResponseError) as refused:
                ask()
            assert refused.value.status_code in {401, 403, 404}


def test_one_workspace_does_not_see_the_jobs_of_another(tenant: Tenant) -> None:
    other = tenant.server.tenant("a-third-team").connect()
    job = submit_bell(ionq(tenant.connect()))
    assert job.id not in {each.id for each in other.list_jobs()}
    with pytest.raises(HttpResponseError) as refused:
        other.get_job(job.id)
    assert refused.value.status_code == 404


def test_quotas_can_be_read(tenant: Tenant) -> None:
    assert isinstance(tenant.connect().get_quotas(), list)
