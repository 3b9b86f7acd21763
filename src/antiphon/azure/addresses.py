"""How an Antiphon workspace is named where only Azure's own addresses are legal."""

from __future__ import annotations

from antiphon.errors import LimitError

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
"""The clients insist on a GUID; the server takes any."""

RESOURCE_GROUP = "antiphon"

REGION = "eastus"
"""The clients insist on a real region of Azure's; nothing is ever sent there."""

ENDPOINT = f"https://{REGION}-v2.quantum.azure.com/"
"""The only form that a connection string may carry. "-v2" lets the clients see providers that they do not know."""


def resource_id(workspace: str = "default") -> str:
    """The resource id under which Microsoft's clients find a workspace of an Antiphon server.

    Raises:
        LimitError: Azure allows no such name (code "workspace-name").
    """
    _check(workspace)
    return (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}"
        f"/providers/Microsoft.Quantum/Workspaces/{workspace}"
    )


def connection_string(api_key: str, workspace: str = "default") -> str:
    """What AZURE_QUANTUM_CONNECTION_STRING must hold; it carries the key.

    Raises:
        LimitError: Azure allows no such name or key (code "workspace-name", "key-form").
    """
    _check(workspace)
    if not api_key or any(letter == ";" or letter.isspace() for letter in api_key):
        raise LimitError(
            "This key cannot stand in a connection string.",
            code="key-form",
            cause="a key has no spaces and no semicolons",
            next_step="Give the key as `antiphon keys create` printed it.",
        )
    return (
        f"SubscriptionId={SUBSCRIPTION};ResourceGroupName={RESOURCE_GROUP};WorkspaceName={workspace};"
        f"ApiKey={api_key};QuantumEndpoint={ENDPOINT};"
    )


def _check(workspace: str) -> None:
    plain = workspace.isascii() and workspace.replace("-", "").isalnum()
    if not (2 <= len(workspace) <= 54 and plain and workspace[0] != "-" and workspace[-1] != "-"):
        raise LimitError(
            f"Microsoft's clients take no workspace named {workspace!r}.",
            code="workspace-name",
            cause="they allow 2 to 54 letters, digits and hyphens, with no hyphen at either end",
            next_step="Use a workspace with such a name.",
        )
