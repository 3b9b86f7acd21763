"""The native API under `/v1`."""

from fastapi import APIRouter

from antiphon.server.api import (
    audit,
    badges,
    devices,
    job_events,
    job_result,
    job_status,
    jobs,
    keys,
    members,
    program_resources,
    queues,
    quotas,
    quotes,
    replays,
    reservations,
    sessions,
    targets,
    usage,
    webhooks,
    workspace,
    workspace_events,
)
from antiphon.server.api.problems import problems
from antiphon.server.api.resources import RootView
from antiphon.server.api.root import get_root

router = APIRouter()
router.get("", response_model=RootView, responses=problems(), tags=["root"])(get_root)
for module in (
    jobs,
    job_status,
    job_result,
    job_events,
    replays,
    quotes,
    program_resources,
    sessions,
    targets,
    badges,
    devices,
    queues,
    reservations,
    workspace_events,
):
    router.include_router(module.router)
for module in (workspace, keys, members, quotas, usage, audit, webhooks):
    router.include_router(module.router)
