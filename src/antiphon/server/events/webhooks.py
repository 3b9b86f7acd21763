"""The sender: takes deliveries that are due and posts them, beside the requests of a server process.

Any number of servers may send from one store: a try belongs to whoever claimed it. A server that dies between a post
and its record leaves a delivery that another one sends again, later and under the same `webhook-id`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from antiphon.domain.webhooks import Attempt, Delivery, DeliveryStatus, Endpoint
from antiphon.engine.context import EngineContext
from antiphon.engine.deliver import claim_due, record_attempt
from antiphon.errors import AntiphonError
from antiphon.server.events.posting import Poster
from antiphon.server.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from antiphon.server.access.authenticator import Call

LOOK_S = 1.0
"""How often the outbox is looked at; what this process ends is sent at once."""
LEAST_PAUSE_S = 0.05
"""Between two looks, however many jobs end."""
MOST_AT_ONCE = 64
MOST_PER_ENDPOINT = 8
"""To one endpoint at once: a slow one must not take the places of all."""
LAST_ANSWERS_S = 2.0
AFTER_FAILURE_S = 1.0

log = logging.getLogger("antiphon.server")


class WebhookSender:
    """Sends what is due, from `start` to `stop`. Belongs to one event loop.

    Args:
        ctx: Its store has the outbox; its clock says what is due.
        call: Runs what blocks in a thread.
        poster: Makes the tries; closed by `stop`.
        metrics: Counts them by how they went.
    """

    def __init__(self, ctx: EngineContext, call: Call, poster: Poster, metrics: Metrics) -> None:
        self._ctx = ctx
        self._call = call
        self._poster = poster
        self._metrics = metrics
        self._tries: set[asyncio.Task[None]] = set()
        self._under_way: Counter[str] = Counter()
        self._nudge = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Send from now on."""
        self._loop = asyncio.get_running_loop()
        self._ctx.on_change.append(self._hear)
        self._looking = self._loop.create_task(self._keep_sending(), name="antiphon-webhooks")

    async def stop(self) -> None:
        """Take nothing more; tries under way get a moment to end, and are made again later if they do not."""
        with suppress(ValueError):
            self._ctx.on_change.remove(self._hear)
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        if self._tries:
            await asyncio.wait(self._tries, timeout=LAST_ANSWERS_S)
        for each in self._tries:
            each.cancel()
        await asyncio.gather(*self._tries, return_exceptions=True)
        await self._poster.close()

    async def send_due(self) -> int:
        """Begin to send what is due now, as far as there are places for it; how many tries were begun."""
        begun = 0
        while len(self._tries) < MOST_AT_ONCE:
            claimed = await self._call(
                claim_due,
                self._ctx,
                MOST_AT_ONCE - len(self._tries),
                most_per_endpoint=MOST_PER_ENDPOINT,
                under_way=dict(self._under_way),
            )
            for delivery, endpoint in claimed:
                self._under_way[delivery.endpoint] += 1
                task = asyncio.create_task(self._try(delivery, endpoint))
                self._tries.add(task)
                task.add_done_callback(self._tries.discard)
            begun += len(claimed)
            if not claimed:
                break
        return begun

    async def settle(self) -> None:
        """Wait until no try is under way."""
        while self._tries:
            await asyncio.wait(self._tries)

    async def _keep_sending(self) -> None:
        while True:
            self._nudge.clear()
            try:
                await self.send_due()
            except AntiphonError as error:
                log.warning("webhooks cannot be sent", extra={"code": error.code, "cause": error.message})
                await asyncio.sleep(AFTER_FAILURE_S)
            except Exception:
                # Every endpoint depends on this task: it must not end.
                log.exception("webhooks cannot be sent")
                await asyncio.sleep(AFTER_FAILURE_S)
            await asyncio.sleep(LEAST_PAUSE_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._nudge.wait()

    async def _try(self, delivery: Delivery, endpoint: Endpoint | None) -> None:
        try:
            attempt = await self._attempt(delivery, endpoint)
            spread = random.random()  # noqa: S311 - when a try comes is no secret
            after = await self._call(record_attempt, self._ctx, delivery, attempt, spread=spread)
            if after is not None:
                self._count(after)
        except Exception as error:
            # Nothing is lost: the claim runs out, and it is sent again.
            known = isinstance(error, AntiphonError)
            facts = {"cause": str(error), "delivery": delivery.id}
            log.warning("how a delivery went could not be stored", extra=facts, exc_info=not known)
        finally:
            self._under_way[delivery.endpoint] -= 1
            if not self._under_way[delivery.endpoint]:
                del self._under_way[delivery.endpoint]
            self._nudge.set()

    async def _attempt(self, delivery: Delivery, endpoint: Endpoint | None) -> Attempt:
        if endpoint is None:
            return Attempt(error="the webhook was removed", was_sent=False)
        if endpoint.disabled_at is not None:
            return Attempt(error="the webhook is disabled", was_sent=False)
        try:
            return await self._poster.post(delivery, endpoint, self._ctx.clock.now())
        except Exception:
            log.exception("a delivery could not be tried", extra={"delivery": delivery.id})
            return Attempt(error="the server itself failed to send it")

    def _count(self, after: Delivery) -> None:
        outcome = "retry" if after.status is DeliveryStatus.PENDING else after.status.value
        self._metrics.webhook_deliveries.labels(outcome).inc()
        if after.status is DeliveryStatus.FAILED:
            facts = {"delivery": after.id, "webhook": after.endpoint, "cause": after.last_error}
            log.warning("a delivery has failed for good", extra=facts)

    def _hear(self, _subject: str) -> None:
        """Something has ended in this process; called in whatever thread did it."""
        if self._loop is not None and not self._nudge.is_set():
            # A loop that was closed has nothing left to send.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._nudge.set)
