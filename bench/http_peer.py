"""The peer of the HTTP cases: python -m bench.http_peer FILE.

What anybody would write first: a FastAPI route that reads the same body and writes one row with SQLAlchemy to SQLite,
as durable as Antiphon's (WAL, synchronous NORMAL), and one that reads a row. No keys, no limits, no log, no job is run.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI, Response
from pydantic import BaseModel
from sqlalchemy import JSON, Engine, Float, String, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class _Base(DeclarativeBase):
    pass


class Job(_Base):
    """One row."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(String, primary_key=True)
    status: Mapped[str] = mapped_column(String)
    created_at: Mapped[float] = mapped_column(Float)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class Body(BaseModel):
    """What is submitted."""

    target: str
    program: str
    shots: int
    execution: str = "auto"


def database(file: str) -> Engine:
    """An engine with the same settings as Antiphon's store."""
    engine = create_engine(f"sqlite:///{file}")

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    _Base.metadata.create_all(engine)
    return engine


def app_on(engine: Engine) -> FastAPI:
    """The app."""
    app = FastAPI()

    @app.post("/v1/jobs", status_code=202)
    def submit(body: Body, response: Response) -> dict[str, Any]:
        job = Job(id=uuid.uuid4().hex, status="Waiting", created_at=time.time(), body=body.model_dump())
        with Session(engine) as session:
            session.add(job)
            session.commit()
            response.headers["Location"] = f"/v1/jobs/{job.id}/status"
            return {"id": job.id, "status": job.status}

    @app.get("/v1/jobs/{job_id}/status")
    def status(job_id: str) -> dict[str, Any]:
        with Session(engine) as session:
            job = session.get_one(Job, job_id)
            return {"id": job.id, "status": job.status, "created_at": job.created_at}

    return app


def main() -> None:
    """Serve on a free port, and say which."""
    config = uvicorn.Config(app_on(database(sys.argv[1])), port=0, log_config=None, access_log=False)
    server = uvicorn.Server(config)

    async def serve() -> None:
        serving = asyncio.ensure_future(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)
        await serving

    uvloop.run(serve())


if __name__ == "__main__":
    main()
