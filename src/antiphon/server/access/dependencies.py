"""What routes ask for: the principal of a request, and the scope it must have."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from antiphon.domain.identity import Principal, Scope
from antiphon.engine.access.tenants import DEFAULT
from antiphon.errors import PermissionDeniedError
from antiphon.ports.on_behalf import works_for
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
    works_for(principal.workspace)
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


def runs_the_service(principal: Principal) -> bool:
    """Whether it may decide what all workspaces share: operators of the workspace that is always there may."""
    return principal.workspace == DEFAULT and principal.may(Scope.QUEUES)


async def service_operator(request: Request) -> Principal:
    """A dependency: the principal, which runs the service.

    Raises:
        PermissionDeniedError: It does not; says who does.
    """
    principal = await authenticated(request)
    only_for_operators(principal)
    return principal


def only_for_operators(principal: Principal) -> None:
    """Refuse what only those who run the service may do.

    Raises:
        PermissionDeniedError: The principal does not; says who does.
    """
    require(principal, Scope.QUEUES)
    if not runs_the_service(principal):
        raise PermissionDeniedError(
            f"{principal.name} may not decide this: all workspaces share the targets.",
            code="operators-of-the-service-only",
            cause=f"it is an operator of the workspace {principal.workspace}, not of {DEFAULT}",
            next_step=f"Ask an operator of the workspace {DEFAULT}.",
            details={"workspace": DEFAULT, "scope": Scope.QUEUES.value},
        )


Operator = Annotated[Principal, Depends(service_operator)]
JobManager = Annotated[Principal, Depends(permitted(Scope.JOBS_MANAGE))]
Reader = Annotated[Principal, Depends(permitted(Scope.JOBS_READ))]
Submitter = Annotated[Principal, Depends(permitted(Scope.JOBS_WRITE))]
