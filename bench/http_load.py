"""The client of the HTTP cases, in a process of its own: python -m bench.http_load MODE … prints one line of JSON.

Plain asyncio protocols on uvloop with httptools as their parser, kept-alive connections, requests encoded beforehand: a
request costs this process about 30 µs, so that what is measured is the server and not its client.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import httptools
import uvloop

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
PATIENCE_S = 30.0


class Answers(asyncio.Protocol):
    """One kept-alive connection: one request at a time."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._parser: Any = None
        self._body: list[bytes] = []
        self.location = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A part of an answer."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits will get no answer."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("the server closed the connection"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the answer."""
        if name.lower() == b"location":
            self.location = value.decode()

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result((self._parser.get_status_code(), b"".join(self._body)))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send one request; its status and body."""
        self._body.clear()
        self.location = ""
        self._parser = httptools.HttpResponseParser(self)
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """End the connection."""
        self._transport.close()


class Client:
    """Requests to one server under one key."""

    def __init__(self, url: str, key: str) -> None:
        place = urlsplit(url)
        self.host, self.port = place.hostname or "127.0.0.1", place.port or 80
        self._head = f"Host: {place.netloc}\r\nAuthorization: Bearer {key}\r\n".encode()

    def get(self, path: str) -> bytes:
        """A GET, encoded."""
        return f"GET {path} HTTP/1.1\r\n".encode() + self._head + b"\r\n"

    def post(self, path: str, document: Any) -> bytes:
        """A POST of JSON, encoded."""
        body = json.dumps(document).encode()
        length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        return f"POST {path} HTTP/1.1\r\n".encode() + self._head + length + body

    async def connect(self) -> Answers:
        """A new connection."""
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(Answers, self.host, self.port)
        return protocol


class Tally:
    """What came back, and how long each answer took."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []

    def add(self, status: int, seconds: float) -> None:
        """One answer."""
        self.statuses[status] += 1
        self.seconds.append(seconds)

    def summary(self, elapsed: float) -> dict[str, Any]:
        """Rate and percentiles, times in seconds."""
        ordered = sorted(self.seconds)
        cuts = statistics.quantiles(ordered, n=100, method="inclusive") if len(ordered) > 1 else ordered * 99
        return {
            "answers": len(ordered),
            "seconds": elapsed,
            "a_second": len(ordered) / elapsed,
            "median_s": cuts[49],
            "p95_s": cuts[94],
            "p99_s": cuts[98],
            "longest_s": ordered[-1],
            "statuses": dict(self.statuses),
        }


async def flood(
    clients: Sequence[Client], requests: Callable[[Client], list[bytes]], width: int, seconds: float
) -> Tally:
    """Ask without pause on `width` connections, spread over the servers, for so many seconds."""
    tally = Tally()
    until = time.perf_counter() + seconds

    async def one(number: int) -> None:
        client = clients[number % len(clients)]
        mine = requests(client)
        connection = await client.connect()
        turn = number
        while (began := time.perf_counter()) < until:
            status, _ = await connection.ask(mine[turn % len(mine)])
            tally.add(status, time.perf_counter() - began)
            turn += 1
        connection.close()

    await asyncio.gather(*(one(number) for number in range(width)))
    return tally


async def round_trip(connection: Answers, client: Client, submit: bytes) -> int:
    """Submit, wait for the end as the API says, fetch the result; the status of the last answer."""
    began = time.perf_counter()
    status, body = await connection.ask(submit)
    if status != 202:
        raise SystemExit(f"a submit was answered {status}: {body[:300]!r}")
    where = connection.location
    while status != 303:
        status, body = await connection.ask(client.get(f"{where}?wait=30"))
        if status not in (200, 303) or time.perf_counter() - began > PATIENCE_S:
            raise SystemExit(f"{where} was answered {status}: {body[:300]!r}")
    status, body = await connection.ask(client.get(connection.location))
    if not json.loads(body)["outcomes"]:
        raise SystemExit(f"no result: {body[:300]!r}")
    return status


async def round_trips(client: Client, document: Any, count: int, pause: float) -> Tally:
    """One job after the other, with a pause between them."""
    tally = Tally()
    connection = await client.connect()
    submit = client.post("/v1/jobs", document)
    for _ in range(count):
        began = time.perf_counter()
        tally.add(await round_trip(connection, client, submit), time.perf_counter() - began)
        await asyncio.sleep(pause)
    connection.close()
    return tally


async def steady(client: Client, documents: Sequence[Any], width: int, rate: float, seconds: float) -> Tally:
    """Whole jobs on `width` connections at `rate` a second together, each connection taking the documents in turn."""
    tally = Tally()
    until = time.perf_counter() + seconds
    submits = [client.post("/v1/jobs", document) for document in documents]

    async def one(number: int) -> None:
        connection = await client.connect()
        due = time.perf_counter() + number / rate
        turn = number
        while due < until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            tally.add(await round_trip(connection, client, submits[turn % len(submits)]), time.perf_counter() - began)
            due += width / rate
            turn += 1
        connection.close()

    await asyncio.gather(*(one(number) for number in range(width)))
    return tally


def document_of(options: argparse.Namespace) -> dict[str, Any]:
    """The job that is submitted: a Bell pair."""
    return {"target": "sim.auto", "program": BELL, "shots": 100, "execution": options.execution}


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """One mode; what it found."""
    clients = [Client(url, options.key) for url in options.url]
    document = document_of(options)
    began = time.perf_counter()
    work: Awaitable[Tally]
    if options.mode == "submit":
        work = flood(clients, lambda each: [each.post(options.path, document)], options.width, options.seconds)
    elif options.mode == "poll":
        connection = await clients[0].connect()
        places = []
        for _ in range(options.jobs):
            status, body = await connection.ask(clients[0].post("/v1/jobs", document))
            if status != 202:
                raise SystemExit(f"a submit was answered {status}: {body[:300]!r}")
            places.append(connection.location)
        connection.close()
        began = time.perf_counter()
        work = flood(clients, lambda each: [each.get(place) for place in places], options.width, options.seconds)
    elif options.mode == "steady":
        # Every fourth goes through the queue to a worker, every fourth is another program.
        other = {**document, "program": BELL.replace("cx q[0], q[1];", "")}
        queued = {**document, "execution": "process"}
        work = steady(clients[0], [document, other, document, queued], options.width, options.rate, options.seconds)
    else:
        work = round_trips(clients[0], document, options.jobs, options.pause)
    tally = await work
    return tally.summary(time.perf_counter() - began)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="bench.http_load")
    parser.add_argument("mode", choices=("submit", "poll", "cycle", "steady"))
    parser.add_argument("--url", action="append", required=True, help="a server; repeatable, connections alternate")
    parser.add_argument("--key", required=True)
    parser.add_argument("--path", default="/v1/jobs")
    parser.add_argument("--execution", default="auto")
    parser.add_argument("--width", type=int, default=16, help="connections")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--rate", type=float, default=60.0, help="jobs a second, for steady")
    parser.add_argument("--pause", type=float, default=0.02)
    print(json.dumps(uvloop.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
