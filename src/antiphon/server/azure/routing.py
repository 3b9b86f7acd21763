"""Routes of the data plane: paths whatever their case, who calls, which workspace, and refusals in Azure's shape."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from antiphon.domain.identity import Principal, Scope
from antiphon.engine.requests import Origin
from antiphon.errors import AntiphonError, PermissionDeniedError
from antiphon.server.access.authenticator import KEY_PREFIX, credential_of
from antiphon.server.access.dependencies import authenticated, require
from antiphon.server.access.origin import sender_of
from antiphon.server.azure.addresses import api_base, blob_base
from antiphon.server.azure.plane import AzurePlane, plane_of
from antiphon.server.azure.refusals import AzureRefusal, azure_response, unforeseen

log = logging.getLogger("antiphon.server")

WORKSPACE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Quantum/workspaces/{workspace}"

M = TypeVar("M", bound=BaseModel)
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class AzureCall:
    """One request, once it is known who calls."""

    request: Request
    plane: AzurePlane
    principal: Principal

    @property
    def workspace(self) -> str:
        """Our own name of the workspace: the caller's, which the path names too."""
        return self.principal.workspace

    @property
    def api(self) -> str:
        """Scheme and host that the client reaches the API under."""
        return api_base(self.request, self.plane.services.settings.public_url)

    @property
    def storage(self) -> str:
        """Scheme and host that the client reaches the storage under."""
        return blob_base(self.request, self.plane.services.settings.public_url)

    @property
    def sender(self) -> Origin:
        """How and from where the caller came."""
        return sender_of(self.request, self.principal)

    def param(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """A blocking action, in a thread."""
        return await self.plane.services.call(function, *args, **kwargs)

    async def read(self, model: type[M]) -> M:
        """The body.

        Raises:
            AzureRefusal: 400 when it is no JSON, or does not fit.
        """
        raw = await self.request.body()
        try:
            return model.model_validate_json(raw or b"{}")
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(str(part) for part in each['loc']) or 'body'}: {each['msg']}" for each in error.errors()[:3]
            )
            raise AzureRefusal(400, "InvalidRequestBody", f"The body does not fit: {found}.") from None


Endpoint = Callable[[AzureCall], Awaitable[Response]]


class AzureRoute(Route):
    """A route whose path is matched whatever its case, as Azure's are.

    Args:
        scope: What the caller must be permitted.
    """

    def __init__(self, method: str, path: str, endpoint: Endpoint, scope: Scope) -> None:
        async def answer(request: Request) -> Response:
            try:
                return await _answer(request, endpoint, scope)
            except AntiphonError as error:
                return azure_response(error)
            except ClientDisconnect:
                raise
            except Exception:
                log.exception("a request failed", extra={"path": request.url.path})
                return azure_response(unforeseen())

        super().__init__(path, answer, methods=[method], name=endpoint.__name__, include_in_schema=False)
        self.methods = {method}
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)


async def unknown_route(request: Request) -> Response:
    """What is asked of a path, or with a method, that the protocol does not have."""
    del request
    return azure_response(AzureRefusal(404, "InvalidResourcePath", "There is no such operation at this path."))


async def _answer(request: Request, endpoint: Endpoint, scope: Scope) -> Response:
    named = request.path_params.get("workspace")
    principal = await authenticated(_asking_for(request, named))
    if named is not None and named.lower() != principal.workspace.lower():
        raise PermissionDeniedError(
            f"{principal.name} does not belong to the workspace {named}.",
            next_step="Name the workspace that the key or token is for.",
        )
    require(principal, scope)
    if not request.query_params.get("api-version"):
        raise AzureRefusal(400, "MissingApiVersionParameter", "The query must hold an api-version; any is taken.")
    return await endpoint(AzureCall(request, plane_of(request), principal))


def _asking_for(request: Request, workspace: str | None) -> Request:
    """The request, with the workspace of its path where a token has yet to say in which of several it acts."""
    if workspace is None or credential_of(request).startswith(KEY_PREFIX) or "x-antiphon-workspace" in request.headers:
        return request
    name = (b"x-antiphon-workspace", workspace.encode("latin-1", "replace"))
    return Request({**request.scope, "headers": [*request.scope["headers"], name]}, request.receive)
