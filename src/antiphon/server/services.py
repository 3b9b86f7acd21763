"""What every route works with: the engine, the settings, and the services around them. Made once, in `server.build`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from antiphon.engine.context import EngineContext
from antiphon.server.threads import RequestThreads

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection

    from antiphon.composition import RunningEngine
    from antiphon.server.access.authenticator import Authenticator
    from antiphon.server.access.rate_limits import RateLimiter
    from antiphon.server.events.addresses import AddressGuard
    from antiphon.server.events.hub import EventHub
    from antiphon.server.secrets import ServerSecrets
    from antiphon.server.settings import ServerSettings
    from antiphon.server.telemetry.metrics import Metrics

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True, eq=False)
class Services:
    """Everything behind the routes; one for each server process."""

    running: RunningEngine
    settings: ServerSettings
    authenticator: Authenticator
    limiter: RateLimiter
    hub: EventHub
    secrets: ServerSecrets
    metrics: Metrics
    addresses: AddressGuard
    threads: RequestThreads
    spans: TracerProvider | None = None
    """Where traces go, if anywhere."""
    looking: asyncio.Future[None] | None = None
    """The look at the store that readiness waits for, if one is under way."""
    draining: bool = False
    """True from the moment the server was told to stop: readiness fails, new submits are refused."""

    @property
    def engine(self) -> EngineContext:
        """What the engine's actions take as their first argument."""
        return self.running.ctx

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a blocking action of the engine in a thread; the event loop goes on meanwhile."""
        return await self.threads.call(function, *args, **kwargs)

    async def look(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a read of a row or two that an index finds.

        Where the store is a file on this machine that takes less than handing it to a thread and waiting for the
        interpreter's lock twice, so it is done at once; it waits for no writer. With a database server, as `call`.
        """
        if self.engine.store.url.startswith("sqlite:"):
            return function(*args, **kwargs)
        return await self.threads.call(function, *args, **kwargs)


def services_of(request: HTTPConnection) -> Services:
    """The services of the app that a request came to."""
    app: Starlette = request.app
    services: Services = app.state.services
    return services
