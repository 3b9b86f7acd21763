"""The OpenAPI document: what FastAPI makes of the routes, with problems as every error and the ways to authenticate."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from antiphon.server.api.problems import problems
from antiphon.server.api.resources import Problem
from antiphon.server.api.told import told

SECURITY = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`antiphon keys create`), or an access token of an OpenID provider.",
    }
}
OPEN = ("/livez", "/readyz", "/healthz", "/metrics")
"""What answers without a key."""


def install_openapi(app: FastAPI) -> None:
    """Let the app tell this document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes, webhooks=told.routes
    )
    for item in document["webhooks"].values():
        # What a receiver makes of a body that it does not like is its own affair.
        item["post"]["responses"].pop("422")
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**problem.pop("$defs", {}), "Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = SECURITY
    refusal = problems()[422]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                operation["responses"]["422"] = refusal
            if path not in OPEN:
                operation["security"] = [{"key": []}]
    components["schemas"] = dict(sorted(schemas.items()))
    return document
