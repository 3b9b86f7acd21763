"""The sender against a real receiver, with days of retries on a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import dataclasses
import email.utils
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from antiphon.adapters.clocks import ManualClock
from antiphon.adapters.store import open_store
from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.webhooks import RETRY_DELAYS_S, ROTATION_S, Attempt, Delivery, DeliveryStatus, Endpoint
from antiphon.engine import deliver, webhooks
from antiphon.engine.access.audit import read_audit
from antiphon.engine.context import EngineContext
from antiphon.errors import StoreError
from antiphon.ports.access_store import AuditQuery
from antiphon.ports.webhook_store import DeliveryQuery
from antiphon.server.azure.authority import PrivateAuthority
from antiphon.server.events import webhooks as sending
from antiphon.server.events.addresses import AddressGuard
from antiphon.server.events.posting import Poster
from antiphon.server.events.webhooks import MOST_PER_ENDPOINT, WebhookSender
from antiphon.server.secrets import ServerSecrets
from antiphon.server.telemetry.metrics import Metrics
from programs import BELL
from real_server import RealServer, real_server
from receiver import Answer, Received, Receiver, receiver

SECRETS = ServerSecrets(b"the secret of these tests")
WS = "default"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(start=time.time())


@pytest.fixture
def running(tmp_path: Path, clock: ManualClock) -> Iterator[RunningEngine]:
    engine = build_engine(tmp_path, clock=clock, workers=0, dispatch=False)
    yield engine
    engine.close()


@pytest.fixture
def ctx(running: RunningEngine) -> EngineContext:
    return running.ctx


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


async def in_thread(function: Any, *args: Any, **more: Any) -> Any:
    return await asyncio.to_thread(function, *args, **more)


def send(ctx: EngineContext, *, private: bool = True, timeout: float = 15, metrics: Metrics | None = None) -> int:
    """Send everything that is due now, and wait until it was tried; how many tries there were."""

    async def once() -> int:
        guard = AddressGuard(allow_private=private)
        poster = Poster(SECRETS, guard, timeout=timeout)
        sender = WebhookSender(ctx, in_thread, poster, metrics or Metrics())
        tries = 0
        while begun := await sender.send_due():
            tries += begun
            await sender.settle()
        await sender.stop()
        guard.close()
        return tries

    return asyncio.run(once())


def endpoint_at(ctx: EngineContext, url: str, **more: Any) -> Endpoint:
    return webhooks.create_endpoint(ctx, workspace=WS, url=url, by="ada", **more)


def probe(ctx: EngineContext, endpoint: Endpoint) -> Delivery:
    return webhooks.send_test(ctx, workspace=WS, endpoint_id=endpoint.id, by="ada")


def again(ctx: EngineContext, delivery: Delivery) -> Delivery:
    return webhooks.get_delivery(ctx, WS, delivery.id)


def secret_of(endpoint: Endpoint, version: int = 1) -> str:
    return SECRETS.webhook_secret(endpoint.id, version)


def answering(status: int, **headers: str) -> Answer:
    return status, {name.replace("_", "-"): value for name, value in headers.items()}


def test_a_delivery_is_signed_and_delivered_once(ctx: EngineContext, receiving: Receiver) -> None:
    endpoint = endpoint_at(ctx, receiving.url + "/hooks?team=a")
    delivery = probe(ctx, endpoint)
    metrics = Metrics()
    assert send(ctx, metrics=metrics) == 1
    assert send(ctx) == 0
    [came] = receiving.came
    came.verify(secret_of(endpoint))
    with pytest.raises(Exception, match="No matching signature"):
        came.verify(secret_of(endpoint, 2))
    assert came.path == "/hooks?team=a"
    assert came.headers["host"] == receiving.url.removeprefix("http://")
    assert came.headers["content-type"] == "application/cloudevents+json"
    assert came.id == delivery.id
    event = came.event
    assert {name: event[name] for name in ("specversion", "type", "subject", "source")} == {
        "specversion": "1.0",
        "type": "webhook.test",
        "subject": endpoint.id,
        "source": "urn:antiphon:workspace:default",
    }
    stored = again(ctx, delivery)
    assert (stored.status, stored.attempts, stored.last_status) == (DeliveryStatus.DELIVERED, 1, 204)
    assert stored.next_at is None
    assert stored.delivered_at == ctx.clock.now()
    assert b'antiphon_webhook_deliveries_total{outcome="delivered"} 1.0' in generate_latest(metrics.registry)


def test_it_is_retried_on_schedule_and_fails_at_last(
    ctx: EngineContext, clock: ManualClock, receiving: Receiver
) -> None:
    receiving.answer = lambda _: answering(500)
    delivery = probe(ctx, endpoint_at(ctx, receiving.url))
    for number, delay in enumerate(RETRY_DELAYS_S, 1):
        assert send(ctx) == 1
        tried = again(ctx, delivery)
        assert (tried.attempts, tried.status, tried.last_status) == (number, DeliveryStatus.PENDING, 500)
        assert tried.next_at is not None
        assert delay <= tried.next_at - clock.now() <= 1.1 * delay
        clock.advance(delay - 1)
        assert send(ctx) == 0
        clock.advance(tried.next_at - clock.now() + 0.001)
    assert send(ctx) == 1
    failed = again(ctx, delivery)
    assert (failed.attempts, failed.status, failed.next_at) == (10, DeliveryStatus.FAILED, None)
    clock.advance(10 * 86_400)
    assert send(ctx) == 0
    assert receiving.handled() == {delivery.id: 10}
    assert len({came.body for came in receiving.came}) == 1
    assert len({came.headers["webhook-timestamp"] for came in receiving.came}) == 10
    secret = SECRETS.webhook_secret(failed.endpoint, 1)
    assert all(came.signed_with(secret) for came in receiving.came)
    receiving.answer = lambda _: answering(200)
    replayed = webhooks.replay_delivery(ctx, workspace=WS, delivery_id=delivery.id, by="ada")
    assert (replayed.attempts, replayed.status) == (0, DeliveryStatus.PENDING)
    assert send(ctx) == 1
    assert again(ctx, delivery).status is DeliveryStatus.DELIVERED
    assert receiving.handled() == {delivery.id: 11}


def test_gone_ends_it_and_disables_the_endpoint(ctx: EngineContext, receiving: Receiver) -> None:
    receiving.answer = lambda _: answering(410)
    endpoint = endpoint_at(ctx, receiving.url)
    delivery = probe(ctx, endpoint)
    send(ctx)
    assert again(ctx, delivery).status is DeliveryStatus.FAILED
    disabled = webhooks.get_endpoint(ctx, WS, endpoint.id)
    assert disabled.disabled_at is not None
    assert "410" in disabled.disabled_because
    last, *_ = read_audit(ctx, AuditQuery(WS, subject=endpoint.id))
    assert (last.action, last.who) == ("webhook.disable", "antiphon")


def test_what_waits_for_a_disabled_endpoint_fails_unsent_and_can_be_replayed(
    ctx: EngineContext, receiving: Receiver
) -> None:
    endpoint = endpoint_at(ctx, receiving.url)
    delivery = probe(ctx, endpoint)
    webhooks.change_endpoint(ctx, workspace=WS, endpoint_id=endpoint.id, enabled=False, by="ada")
    send(ctx)
    failed = again(ctx, delivery)
    assert (failed.status, failed.attempts, receiving.came) == (DeliveryStatus.FAILED, 0, [])
    webhooks.change_endpoint(ctx, workspace=WS, endpoint_id=endpoint.id, enabled=True, by="ada")
    webhooks.replay_delivery(ctx, workspace=WS, delivery_id=delivery.id, by="ada")
    send(ctx)
    assert receiving.handled() == {delivery.id: 1}


def test_a_redirect_is_a_failure_and_not_followed(ctx: EngineContext, receiving: Receiver) -> None:
    receiving.answer = lambda _: answering(307, Location=receiving.url + "/elsewhere")
    delivery = probe(ctx, endpoint_at(ctx, receiving.url + "/here"))
    send(ctx)
    assert [came.path for came in receiving.came] == ["/here"]
    tried = again(ctx, delivery)
    assert (tried.status, tried.last_status) == (DeliveryStatus.PENDING, 307)


@pytest.mark.parametrize(
    ("status", "asked", "least", "most"),
    [
        (429, "600", 600, 601),
        (503, "600", 600, 601),
        (429, "date", 599, 601),
        (429, "1", 5, 5.5),
        (429, "-5", 5, 5.5),
        (429, "soon", 5, 5.5),
        (500, "600", 5, 5.5),
        (503, "99999999999999999999", 86_400, 86_401),
    ],
)
def test_a_receiver_that_asks_to_be_left_alone_is(
    ctx: EngineContext, clock: ManualClock, receiving: Receiver, status: int, asked: str, least: float, most: float
) -> None:
    value = email.utils.formatdate(clock.now() + 600, usegmt=True) if asked == "date" else asked
    receiving.answer = lambda _: answering(status, Retry_After=value)
    delivery = probe(ctx, endpoint_at(ctx, receiving.url))
    send(ctx)
    next_at = again(ctx, delivery).next_at
    assert next_at is not None
    assert least <= next_at - clock.now() <= most


def test_no_answer_is_a_failure(ctx: EngineContext, receiving: Receiver) -> None:
    answered = threading.Event()

    def never(_: Received) -> Answer:
        answered.wait(20)
        return answering(200)

    receiving.answer = never
    late, refused = (probe(ctx, endpoint_at(ctx, url)) for url in (receiving.url, "http://127.0.0.1:9"))
    send(ctx, timeout=0.3)
    answered.set()
    assert again(ctx, late).last_error == "no answer within 0.3 s"
    assert "ConnectError" in again(ctx, refused).last_error
    assert {again(ctx, each).last_status for each in (late, refused)} == {None}


def test_nothing_is_sent_to_what_has_become_a_private_address(ctx: EngineContext, receiving: Receiver) -> None:
    delivery = probe(ctx, endpoint_at(ctx, receiving.url))
    send(ctx, private=False)
    assert receiving.came == []
    tried = again(ctx, delivery)
    assert tried.last_error.startswith("webhook-address-refused")
    assert (tried.status, tried.attempts) == (DeliveryStatus.PENDING, 1)


def test_the_certificate_must_be_the_name_s_although_the_address_is_connected_to(
    ctx: EngineContext, tmp_path: Path
) -> None:
    authority = PrivateAuthority(tmp_path)  # signs for names under azure.com alone
    trust = ssl.create_default_context(cadata=authority.certificate_pem)
    with receiver(tls=authority.context_for("hooks.quantum.azure.com")) as receiving:
        port = receiving.url.rpartition(":")[2]
        right, wrong = (
            (endpoint_at(ctx, f"https://{name}:{port}/hook"), name)
            for name in ("hooks.quantum.azure.com", "other.quantum.azure.com")
        )
        deliveries = [probe(ctx, endpoint) for endpoint, _ in (right, wrong)]

        async def post_both() -> list[Attempt]:
            guard = AddressGuard(allow_private=True, resolve=lambda _host, _port: ["127.0.0.1"])
            poster = Poster(SECRETS, guard, trust=trust)
            now = ctx.clock.now()
            try:
                both = zip(deliveries, (right, wrong), strict=True)
                return [await poster.post(delivery, endpoint, now) for delivery, (endpoint, _) in both]
            finally:
                await poster.close()
                guard.close()

        accepted, refused = asyncio.run(post_both())
        assert accepted.status == 204
        assert [came.headers["host"] for came in receiving.came] == [f"hooks.quantum.azure.com:{port}"]
        assert refused.status is None
        assert "certificate" in refused.error.lower()


def test_a_slow_endpoint_does_not_hold_up_others(ctx: EngineContext, receiving: Receiver) -> None:
    let_go = threading.Event()
    at_once: list[int] = []
    inside = threading.Semaphore(0)

    def slow(_: Received) -> Answer:
        inside.release()
        at_once.append(1)
        let_go.wait(20)
        return answering(204)

    with receiver() as quick:
        receiving.answer = slow
        slow_endpoint = endpoint_at(ctx, receiving.url)
        quick_endpoint = endpoint_at(ctx, quick.url)
        for _ in range(100):
            probe(ctx, slow_endpoint)
        wanted = [probe(ctx, quick_endpoint).id for _ in range(20)]

        async def keep_sending() -> None:
            guard = AddressGuard(allow_private=True)
            sender = WebhookSender(ctx, in_thread, Poster(SECRETS, guard), Metrics())
            await sender.start()
            await asyncio.to_thread(quick.wait_for, 20)
            assert len(at_once) == MOST_PER_ENDPOINT
            let_go.set()
            await asyncio.to_thread(receiving.wait_for, 100)
            await sender.stop()
            guard.close()

        asyncio.run(keep_sending())
        assert quick.handled() == dict.fromkeys(wanted, 1)
        assert set(receiving.handled().values()) == {1}


def test_a_lost_record_is_sent_again_under_the_same_id(
    ctx: EngineContext, clock: ManualClock, receiving: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.", code="store-full")

    delivery = probe(ctx, endpoint_at(ctx, receiving.url))
    with monkeypatch.context() as patch:
        patch.setattr(sending, "record_attempt", broken)
        assert send(ctx) == 1
    assert again(ctx, delivery).status is DeliveryStatus.PENDING
    clock.advance(deliver.LEASE_S - 1)
    assert send(ctx) == 0
    clock.advance(1.001)
    assert send(ctx) == 1
    assert receiving.handled() == {delivery.id: 2}
    assert again(ctx, delivery).status is DeliveryStatus.DELIVERED


def test_a_server_killed_between_post_and_record_sends_again_under_the_same_id(
    tmp_path: Path, receiving: Receiver
) -> None:
    private = {"ANTIPHON_WEBHOOKS_ALLOW_PRIVATE": "true"}
    home = tmp_path / "killed"
    victim: list[RealServer] = []

    def kill(_: Received) -> Answer:
        victim[0].process.kill()
        victim[0].process.wait()
        return answering(204)

    receiving.answer = kill
    with real_server(home, env=private) as server:
        victim.append(server)
        with server.client() as api:
            made = api.post("/v1/webhooks", json={"url": receiving.url}).json()
            api.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 5})
        [first] = receiving.wait_for(1)
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    receiving.answer = lambda _: answering(204)
    store = open_store(home / "antiphon.db")
    with store.write() as tx:
        [pending] = tx.find_deliveries(DeliveryQuery(WS, made["id"]))
        assert (pending.status, pending.attempts, pending.id) == (DeliveryStatus.PENDING, 1, first.id)
        # As if the claim's minute were over.
        tx.save_delivery(dataclasses.replace(pending, next_at=time.time()))
    store.close()
    with real_server(home, env=private) as server:
        _, second = receiving.wait_for(2)
        assert server.stop() == 0
    for came in (first, second):
        came.verify(made["secret"])
    assert receiving.handled() == {first.id: 2}
    assert first.body == second.body


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_two_servers_never_send_one_try_twice(
    tmp_path: Path, receiving: Receiver, request: pytest.FixtureRequest, database: str
) -> None:
    url = None if database == "sqlite" else request.getfixturevalue("postgres_server").database()
    engines = [build_engine(tmp_path, database=url, workers=0, dispatch=False) for _ in range(2)]
    for engine in engines:
        request.addfinalizer(engine.close)
    first, second = (engine.ctx for engine in engines)
    endpoints = [endpoint_at(first, f"{receiving.url}/{number}") for number in range(4)]
    ids = {probe(first, endpoint).id for endpoint in endpoints for _ in range(20)}
    senders = [threading.Thread(target=send, args=(ctx,)) for ctx in (first, second)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert receiving.handled() == dict.fromkeys(ids, 1)
    assert {each.attempts for each in webhooks.list_deliveries(second, DeliveryQuery(WS))} == {1}


def test_while_a_secret_is_rotated_both_sign(ctx: EngineContext, clock: ManualClock, receiving: Receiver) -> None:
    endpoint = endpoint_at(ctx, receiving.url)
    rotated = webhooks.rotate_secret(ctx, workspace=WS, endpoint_id=endpoint.id, by="ada")
    assert rotated.secret_version == 2
    probe(ctx, endpoint)
    send(ctx)
    clock.advance(ROTATION_S)
    probe(ctx, endpoint)
    send(ctx)
    during, after = receiving.came
    during.verify(secret_of(endpoint, 1))
    during.verify(secret_of(endpoint, 2))
    assert (after.signed_with(secret_of(endpoint, 1)), after.signed_with(secret_of(endpoint, 2))) == (False, True)


def test_a_replay_while_a_try_is_under_way_is_not_undone_by_it(ctx: EngineContext, receiving: Receiver) -> None:
    delivery = probe(ctx, endpoint_at(ctx, receiving.url))

    def meanwhile(_: Received) -> Answer:
        if len(receiving.came) == 1:
            webhooks.replay_delivery(ctx, workspace=WS, delivery_id=delivery.id, by="ada")
            return answering(410)
        return answering(204)

    receiving.answer = meanwhile
    assert send(ctx) >= 1
    # The first try's verdict came too late for the delivery; that nobody is there any more still holds.
    assert webhooks.get_endpoint(ctx, WS, delivery.endpoint).disabled_at is not None


def test_a_removed_endpoint_gets_nothing_more(ctx: EngineContext, receiving: Receiver) -> None:
    endpoint = endpoint_at(ctx, receiving.url)
    probe(ctx, endpoint)
    webhooks.remove_endpoint(ctx, workspace=WS, endpoint_id=endpoint.id, by="ada")
    assert send(ctx) == 0
    assert receiving.came == []
