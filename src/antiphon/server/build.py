"""How a server comes to be: the one place that puts its services and its app together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from antiphon.composition import build_engine
from antiphon.engine.context import EngineSettings
from antiphon.ports.clock import Clock
from antiphon.server.access.authenticator import Authenticator
from antiphon.server.access.oidc import OidcVerifier
from antiphon.server.access.rate_limits import RateLimiter
from antiphon.server.app import create_app
from antiphon.server.events.addresses import AddressGuard
from antiphon.server.events.hub import EventHub
from antiphon.server.events.posting import Poster
from antiphon.server.events.webhooks import WebhookSender
from antiphon.server.retention import retaining
from antiphon.server.secrets import load_secrets
from antiphon.server.services import Services
from antiphon.server.settings import ServerSettings
from antiphon.server.telemetry.metrics import Metrics
from antiphon.server.telemetry.observing import observe
from antiphon.server.telemetry.traces import close_quickly
from antiphon.server.threads import RequestThreads

REQUEST_THREADS = 16
"""Calls of the store and the engine at once, for requests."""


def build_services(settings: ServerSettings, *, clock: Clock | None = None) -> Services:
    """An engine that runs, and the services around it; `stop_services` ends both.

    Raises:
        StoreError: The folder, the database or the server's secret cannot be used.
    """
    running = build_engine(
        settings.home,
        database=settings.database,
        settings=EngineSettings(inline_seconds=settings.inline_seconds),
        clock=clock,
        workers=settings.workers,
        read_apart=True,
        devices=[each.device() for each in settings.life],
    )
    try:
        threads = RequestThreads(REQUEST_THREADS, eager=not running.ctx.store.url.startswith("sqlite:"))
        call, metrics = threads.call, Metrics()
        spans = observe(running.ctx, settings, metrics)
        tokens = OidcVerifier(running.ctx, call, settings.oidc) if settings.oidc else None
        return Services(
            running=running,
            settings=settings,
            authenticator=Authenticator(running.ctx, call, metrics, tokens),
            limiter=RateLimiter(settings.rate_limit),
            hub=EventHub(
                running.ctx,
                max_watches=settings.max_streams,
                max_watches_per_key=settings.max_streams_per_key,
            ),
            secrets=load_secrets(running.home),
            metrics=metrics,
            addresses=AddressGuard(allow_private=settings.webhooks_allow_private),
            threads=threads,
            spans=spans,
        )
    except BaseException:
        running.close()
        raise


async def stop_services(services: Services) -> None:
    """End every watch, give the jobs under way back to the queue, and close the store."""
    services.draining = True
    await services.hub.stop()
    await services.authenticator.close()
    services.addresses.close()
    await services.call(services.running.close)
    if services.spans is not None:
        await close_quickly(services.spans.shutdown)
    services.threads.shutdown()


@asynccontextmanager
async def _chores(app: FastAPI, services: Services) -> AsyncIterator[None]:
    """What runs beside the requests as long as the app does."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_sending(services))
        await stack.enter_async_context(retaining(services))
        if services.settings.azure:
            from antiphon.server.azure.app import sweeping

            await stack.enter_async_context(sweeping(services, app.state.azure.storage))
        yield


@asynccontextmanager
async def _sending(services: Services) -> AsyncIterator[None]:
    """Send webhooks as long as the block runs."""
    poster = Poster(services.secrets, services.addresses)
    sender = WebhookSender(services.engine, services.call, poster, services.metrics)
    await sender.start()
    try:
        yield
    finally:
        await sender.stop()


def app_of(services: Services) -> FastAPI:
    """The app around services; its lifespan follows the log, and stops the services at its end."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await services.hub.start()
        try:
            async with _chores(app, services):
                yield
        finally:
            await stop_services(services)

    app = create_app(services)
    app.router.lifespan_context = lifespan
    return app
