"""Microsoft's own classes, unmodified, connected to an Antiphon server.

Their packages pin versions that conflict with the server's, so they are no extra of Antiphon's: they belong into the
environment of the program that uses them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from antiphon.azure.addresses import REGION, resource_id
from antiphon.errors import MissingExtraError

if TYPE_CHECKING:
    from azure.quantum import Workspace
    from azure.quantum.cirq import AzureQuantumService
    from azure.quantum.qiskit import AzureQuantumProvider

INSTALL = 'pip install "azure-quantum[qiskit,cirq]>=3.8,<4" "qdk[azure,qiskit,cirq]>=1.30"'
"""Both lines are needed: azure-quantum's extras bring `qsharp` and hold cirq-ionq below 1.7, which qdk's do not."""


def workspace(url: str, api_key: str, *, workspace: str = "default", **options: Any) -> Workspace:
    """The genuine `azure.quantum.Workspace`, talking to the Antiphon server at `url`.

    Args:
        url: Where `antiphon serve --azure` listens, e.g. "http://127.0.0.1:8000".
        workspace: Name of the Antiphon workspace that the key belongs to.
        options: Further arguments of `azure.quantum.Workspace`, e.g. `user_agent`.

    Raises:
        MissingExtraError: Microsoft's packages are not installed; the next step is the line that installs a set that
            works together.
        LimitError: Azure allows no such workspace name.
    """
    found = resource_id(workspace)
    client = _load("azure.quantum", "Workspace", "Connecting Azure Quantum's own client")
    credential = _load("azure.core.credentials", "AzureKeyCredential", "Connecting Azure Quantum's own client")
    given: dict[str, Any] = {
        "resource_id": found,
        "location": REGION,
        "credential": credential(api_key),
        # Underscored in Microsoft's class as well: the one way to name an endpoint that is not Azure's. The tests in
        # tests/wire hold it against the pinned version.
        "_quantum_endpoint": url.rstrip("/") + "/",
        "_workspace_kind": "V2",
    }
    made: Workspace = client(**{**given, **options})
    return made


def service(url: str, api_key: str, *, workspace: str = "default", **options: Any) -> AzureQuantumService:
    """The genuine `azure.quantum.cirq.AzureQuantumService` for Cirq circuits; arguments and errors as `workspace`."""
    made: AzureQuantumService = _load("azure.quantum.cirq", "AzureQuantumService", "Running Cirq circuits")(
        workspace=_workspace(url, api_key, workspace=workspace, **options)
    )
    return made


def provider(url: str, api_key: str, *, workspace: str = "default", **options: Any) -> AzureQuantumProvider:
    """The genuine `azure.quantum.qiskit.AzureQuantumProvider` for Qiskit; arguments and errors as `workspace`."""
    made: AzureQuantumProvider = _load("azure.quantum.qiskit", "AzureQuantumProvider", "Running Qiskit circuits")(
        workspace=_workspace(url, api_key, workspace=workspace, **options)
    )
    return made


_workspace = workspace  # the functions above have a parameter of this name, as Microsoft's have


def _load(module: str, name: str, purpose: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise MissingExtraError(
            f"{purpose} needs Microsoft's package azure-quantum, which is not installed whole.",
            cause=f"import {module} failed: {error}",
            next_step=INSTALL,
            details={"package": "azure-quantum"},
        ) from error
