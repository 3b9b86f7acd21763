"""What a client asks before the data plane: where is the workspace (Azure's resource manager), and who am I?"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from antiphon.errors import AntiphonError
from antiphon.server.azure.models import GraphQuery
from antiphon.server.azure.refusals import AzureRefusal, azure_response
from antiphon.server.azure.routing import AzureCall
from antiphon.server.services import services_of

LOCATION = "eastus"
"""Clients accept only the name of one of Azure's regions. It says nothing of where this server is."""
TOKEN_FOR_S = 3_600.0
"""When a client asks for its token again; the key itself lives as long as it lives."""
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


async def get_token(request: Request) -> Response:
    """A key as the token of a managed identity, for clients that know no other way to be given one.

    The caller sends the key as `X-IDENTITY-HEADER`, which is how IDENTITY_HEADER of its environment arrives, and gets
    the same key back: nothing is handed out that was not brought along.
    """
    key = request.headers.get("x-identity-header", "")
    try:
        services = services_of(request)
        bearer = (b"authorization", f"Bearer {key}".encode("latin-1"))
        await services.authenticator.authenticate(Request({**request.scope, "headers": [bearer]}))
    except AntiphonError as error:
        return azure_response(error)
    return JSONResponse(
        {
            "access_token": key,
            "expires_on": str(int(services.engine.clock.now() + TOKEN_FOR_S)),
            "resource": request.query_params.get("resource", ""),
            "token_type": "Bearer",
        },
        headers={"Cache-Control": "no-store"},
    )


def _endpoint(call: AzureCall) -> str:
    # In the tunnel the API answers under the name of the region's data plane; bearer tokens are sent to no other.
    host = call.request.url.hostname or ""
    return f"https://{LOCATION}.quantum.azure.com/" if host.endswith(".azure.com") else f"{call.api}/"
