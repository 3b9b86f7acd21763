"""The two questions of Azure's resource manager that a client asks before the data plane: where is the workspace?"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from antiphon.server.azure.models import GraphQuery
from antiphon.server.azure.refusals import AzureRefusal
from antiphon.server.azure.routing import AzureCall

LOCATION = "eastus"
"""Clients accept only the name of one of Azure's regions. It says nothing of where this server is."""
NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = "antiphon"
KIND = "V2"
"""Clients hide providers that they do not know from a workspace of kind V1."""


async def get_workspace(call: AzureCall) -> Response:
    """The workspace as a resource."""
    subscription, group, name = call.param("subscription"), call.param("group"), call.param("workspace")
    resource = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Quantum/Workspaces/{name}"
    return JSONResponse(
        {
            "id": resource,
            "name": name,
            "type": "microsoft.quantum/workspaces",
            "location": LOCATION,
            "properties": {
                "endpointUri": _endpoint(call),
                "workspaceKind": KIND,
                "provisioningState": "Succeeded",
                "usable": "Yes",
            },
        }
    )


async def post_resource_graph(call: AzureCall) -> Response:
    """The caller's workspace, if the query names it; nothing else is ever found."""
    body = await call.read(GraphQuery)
    query = body.query.lower()
    if "microsoft.quantum/workspaces" not in query:
        raise AzureRefusal(400, "InvalidQuery", "Only workspaces can be asked for.")
    found: list[dict[str, Any]] = []
    if f"'{call.workspace.lower()}'" in query:
        found.append(
            {
                "name": call.workspace,
                "subscriptionId": NO_SUBSCRIPTION,
                "resourceGroup": GROUP,
                "location": LOCATION,
                "endpointUri": _endpoint(call),
                "workspaceKind": KIND,
            }
        )
    return JSONResponse({"totalRecords": len(found), "count": len(found), "resultTruncated": "false", "data": found})


def _endpoint(call: AzureCall) -> str:
    # In the tunnel the API answers under the name of the region's data plane; bearer tokens are sent to no other.
    host = call.request.url.hostname or ""
    return f"https://{LOCATION}.quantum.azure.com/" if host.endswith(".azure.com") else f"{call.api}/"
