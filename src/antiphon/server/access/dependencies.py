"""What routes ask for: the principal of a request, and the scope it must have."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from antiphon.domain.identity import Principal, Scope
from antiphon.errors import PermissionDeniedError
from antiphon.server.services import Services, services_of


async def get_services(request: Request) -> Services:
    """The services of this server."""
    return services_of(request)


ServicesOf = Annotated[Services, Depends(get_services)]


async def authenticated(request: Request) -> Principal:
    """The principal of a request: its key or token checked, its rate limit counted; once for each request.

    Raises:
        AuthenticationError: No key or token, or one that opens nothing.
        RateLimitedError: Too many requests of this key.
    """
    known: Principal | None = getattr(request.state, "principal", None)
    if known is not None:
        return known
    services = services_of(request)
    principal = await services.authenticator.authenticate(request)
    request.state.principal = principal
    services.limiter.check(request, principal)
    return principal


def permitted(scope: Scope) -> Callable[[Request], Coroutine[Any, Any, Principal]]:
    """A dependency: the principal, which has `scope`.

    Raises:
        PermissionDeniedError: It has not; says which role would.
    """

    async def check(request: Request) -> Principal:
        principal = await authenticated(request)
        require(principal, scope)
        return principal

    return check


def require(principal: Principal, scope: Scope) -> None:
    """Refuse what a principal may not do.

    Raises:
        PermissionDeniedError: Naming the scope and who can give it.
    """
    if not principal.may(scope):
        raise PermissionDeniedError(
            f"{principal.name} may not do this in the workspace {principal.workspace}.",
            cause=f"it needs the scope {scope.value}; {principal.role.value} has "
            f"{', '.join(sorted(each.value for each in principal.scopes)) or 'none'}",
            next_step="Ask an admin of the workspace for a key with that scope.",
            details={"scope": scope.value, "role": principal.role.value},
        )


Reader = Annotated[Principal, Depends(permitted(Scope.JOBS_READ))]
Submitter = Annotated[Principal, Depends(permitted(Scope.JOBS_WRITE))]
