from __future__ import annotations

import asyncio
import threading

import pytest

from antiphon.ports.on_behalf import Caller, caller, on_behalf_of, works_for


def test_it_holds_in_the_block_and_in_this_thread_alone() -> None:
    elsewhere: list[Caller] = []
    assert caller() == Caller("", patient=False)
    with pytest.raises(ZeroDivisionError), on_behalf_of("a", patient=True):
        assert caller() == Caller("a", patient=True)
        thread = threading.Thread(target=lambda: elsewhere.append(caller()))
        thread.start()
        thread.join()
        raise ZeroDivisionError
    assert elsewhere == [caller()] == [Caller()]


def test_each_task_works_for_its_own() -> None:
    async def request(workspace: str) -> str:
        works_for(workspace)
        await asyncio.sleep(0)
        return await asyncio.to_thread(lambda: caller().workspace)

    async def both() -> list[str]:
        return list(await asyncio.gather(request("a"), request("b")))

    assert asyncio.run(both()) == ["a", "b"]
    assert caller() == Caller()
