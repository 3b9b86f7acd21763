"""Blocking work beside the event loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def call_in(threads: ThreadPoolExecutor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `function` in one of the threads, with this task's context variables; the event loop goes on meanwhile."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(
        threads, partial(context.run, partial(function, *args, **kwargs))
    )
