"""A server in this process, on a free port of loopback: real HTTP, with its services in reach of the test."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI

from antiphon.domain.identity import Role
from antiphon.engine.access.keys import create_key
from antiphon.engine.access.tenants import ensure_tenant
from antiphon.engine.context import EngineContext
from antiphon.ports.clock import Clock
from antiphon.server.build import app_of, build_services
from antiphon.server.serve import bind
from antiphon.server.services import Services
from antiphon.server.settings import ServerSettings

START_S = 30


@dataclass
class Served:
    """A server that answers."""

    url: str
    app: FastAPI
    services: Services

    @property
    def ctx(self) -> EngineContext:
        """Its engine."""
        return self.services.engine

    def key(self, role: Role = Role.SUBMITTER, *, workspace: str = "default", name: str = "ada") -> str:
        """The text of a new key."""
        ensure_tenant(self.ctx, workspace, by="the test")
        _, text = create_key(self.ctx, workspace=workspace, name=name, role=role, by="the test")
        return text

    def client(
        self, role: Role = Role.SUBMITTER, *, workspace: str = "default", name: str = "ada", **options: Any
    ) -> httpx2.Client:
        """An HTTP client with a key of its own."""
        headers = {"Authorization": f"Bearer {self.key(role, workspace=workspace, name=name)}"}
        return httpx2.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30, **options)


@contextlib.contextmanager
def served(home: Path, *, clock: Clock | None = None, **settings: Any) -> Iterator[Served]:
    """Start a server on `home`; stopped at the end of the block."""
    chosen = ServerSettings(**{"home": home, "workers": 1, "port": 0, "rate_limit": "10000000/minute", **settings})
    services = build_services(chosen, clock=clock)
    app = app_of(services)
    listener = bind("127.0.0.1", 0)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    ready = threading.Event()

    async def run() -> None:
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        ready.set()
        await serving

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="served", daemon=True)
    thread.start()
    try:
        assert ready.wait(START_S), "the server did not start"
        assert server.started
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", app, services)
    finally:
        # What a test left open is not waited for.
        services.draining = True
        server.should_exit = True
        thread.join(START_S)
        listener.close()
