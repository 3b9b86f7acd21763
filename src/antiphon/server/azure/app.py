"""Put the Azure protocol into an app."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.routing import Route

from antiphon.domain.identity import Scope
from antiphon.errors import AntiphonError
from antiphon.server.azure import arm, jobs, lists, sessions
from antiphon.server.azure.connection import router as connection
from antiphon.server.azure.plane import AzurePlane
from antiphon.server.azure.routing import WORKSPACE, AzureRoute, unknown_route
from antiphon.server.azure.sas import SasSigner
from antiphon.server.azure.storage import BlobStorage
from antiphon.server.azure.storage_routes import StorageRoute
from antiphon.server.azure.targets import AzureTargets
from antiphon.server.services import Services

log = logging.getLogger("antiphon.server")

ABANDONED_AFTER_S = 24 * 3_600.0
"""A container that no job names by then is removed: longer than any URL to upload into it is good for."""
SWEEP_EVERY_S = 600.0

_READ, _WRITE = Scope.JOBS_READ, Scope.JOBS_WRITE
_ROUTES = (
    # What ends in a verb comes before the same path without it.
    ("POST", "/jobs/{id}:cancel", jobs.cancel_job, _WRITE),
    ("PUT", "/jobs/{id}", jobs.put_job, _WRITE),
    ("GET", "/jobs/{id}", jobs.get_job, _READ),
    ("PATCH", "/jobs/{id}", jobs.patch_job, _WRITE),
    ("DELETE", "/jobs/{id}", jobs.delete_job, _WRITE),
    ("GET", "/jobs", lists.list_jobs, _READ),
    ("POST", "/sessions/{id}:close", sessions.post_close_session, _WRITE),
    ("PUT", "/sessions/{id}", sessions.put_session, _WRITE),
    ("GET", "/sessions/{id}", sessions.get_session, _READ),
    ("GET", "/sessions/{id}/jobs", lists.list_session_jobs, _READ),
    ("GET", "/sessions", lists.list_sessions, _READ),
    ("GET", "/topLevelItems", lists.list_top_level_items, _READ),
    ("GET", "/providerStatus", lists.list_providers, _READ),
    ("GET", "/quotas", lists.list_quotas, _READ),
    ("POST", "/storage/sasUri", lists.post_sas_uri, _READ),
    ("GET", "", arm.get_workspace, _READ),
)


def install_azure(app: FastAPI, services: Services) -> None:
    """Add the routes of the protocol, which come after all others: the storage takes every path of its shape."""
    app.state.azure = AzurePlane(
        services,
        AzureTargets(services.engine.drivers, aliases=services.settings.azure_aliases),
        BlobStorage(
            services.engine, services.settings.max_blob_bytes, max_workspace_bytes=services.settings.max_storage_bytes
        ),
        SasSigner(services.secrets.derive("sas")),
    )
    app.include_router(connection, include_in_schema=False)
    routes = app.router.routes
    routes += [AzureRoute(method, WORKSPACE + path, endpoint, scope) for method, path, endpoint, scope in _ROUTES]
    graph = "/providers/Microsoft.ResourceGraph/resources"
    routes.append(AzureRoute("POST", graph, arm.post_resource_graph, _READ))
    routes.append(Route("/msi/token", arm.get_token, methods=["GET"], include_in_schema=False))
    for start in ("/subscriptions", "/providers"):
        routes.append(Route(start + "/{rest:path}", unknown_route, methods=_ANY, include_in_schema=False))
    routes.append(StorageRoute())


_ANY = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


@asynccontextmanager
async def sweeping(services: Services, storage: BlobStorage) -> AsyncIterator[None]:
    """Remove abandoned containers every ten minutes, as long as the block runs."""
    task = asyncio.create_task(_sweep(services, storage))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _sweep(services: Services, storage: BlobStorage) -> None:
    while True:
        await asyncio.sleep(SWEEP_EVERY_S)
        try:
            before = services.engine.clock.now() - ABANDONED_AFTER_S
            while await services.call(storage.collect, before):
                pass
        except AntiphonError as error:
            log.warning("abandoned uploads could not be removed: %s", error.message)
