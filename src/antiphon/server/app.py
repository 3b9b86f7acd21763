"""The ASGI app: routes, error handlers, and what stands around every request."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI

from antiphon.server.api import router as native_api
from antiphon.server.api.frequent import install_frequent
from antiphon.server.api.openapi import install_openapi
from antiphon.server.errors import install_error_handlers
from antiphon.server.health import router as health
from antiphon.server.middleware.bodies import BodyLimits
from antiphon.server.middleware.draining import RefuseNewWork
from antiphon.server.middleware.envelope import Envelope
from antiphon.server.services import Services
from antiphon.server.telemetry.routes import are_open
from antiphon.server.telemetry.routes import router as metrics
from antiphon.server.telemetry.traces import of_requests


def create_app(services: Services) -> FastAPI:
    """The app of one server process."""
    app = FastAPI(
        title="Antiphon",
        version=version("antiphon"),
        summary="Quantum jobs, sessions and results over HTTP.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=of_requests(services.spans),
    )
    app.state.services = services
    settings = services.settings
    app.state.metrics_open = are_open(settings)
    # The last one added stands outermost.
    app.add_middleware(BodyLimits, max_bytes=settings.max_body_of, seconds=settings.body_seconds)
    app.add_middleware(RefuseNewWork, is_draining=lambda: services.draining)
    app.add_middleware(Envelope, metrics=services.metrics)
    install_error_handlers(app)
    app.include_router(health)
    app.include_router(metrics)
    app.include_router(native_api, prefix="/v1")
    if services.settings.azure:
        from antiphon.server.azure.app import install_azure

        install_azure(app, services)
    install_openapi(app)
    install_frequent(app)
    return app
