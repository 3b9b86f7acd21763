"""The native API under `/v1`."""

from fastapi import APIRouter

from antiphon.server.api.jobs import router as jobs

router = APIRouter()
for each in (jobs,):
    router.include_router(each)
