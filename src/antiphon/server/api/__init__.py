"""The native API under `/v1`."""

from fastapi import APIRouter

from antiphon.server.api.audit import router as audit
from antiphon.server.api.job_events import router as job_events
from antiphon.server.api.job_result import router as job_result
from antiphon.server.api.job_status import router as job_status
from antiphon.server.api.jobs import router as jobs
from antiphon.server.api.keys import router as keys
from antiphon.server.api.members import router as members
from antiphon.server.api.problems import problems
from antiphon.server.api.quotas import router as quotas
from antiphon.server.api.replays import router as replays
from antiphon.server.api.resources import RootView
from antiphon.server.api.root import get_root
from antiphon.server.api.sessions import router as sessions
from antiphon.server.api.targets import router as targets
from antiphon.server.api.usage import router as usage
from antiphon.server.api.workspace import router as workspace
from antiphon.server.api.workspace_events import router as workspace_events

router = APIRouter()
router.get("", response_model=RootView, responses=problems(), tags=["root"])(get_root)
for each in (jobs, job_status, job_result, job_events, replays, sessions, targets, workspace_events):
    router.include_router(each)
for each in (workspace, keys, members, quotas, usage, audit):
    router.include_router(each)
