"""A real server that is killed and started again on the same port."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

from real_server import RealServer, real_server


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class RestartedServer:
    """One server that is started again, on the same port, after it was killed."""

    def __init__(self, home: Path, env: Mapping[str, str]) -> None:
        self._home, self._env, self._port = home, env, free_port()
        self._stack = contextlib.ExitStack()
        self.running: RealServer | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> RealServer:
        self.running = self._stack.enter_context(
            real_server(self._home, "--port", str(self._port), "--rate-limit", "1000000/minute", env=self._env)
        )
        return self.running

    def kill(self) -> None:
        assert self.running is not None
        assert self.running.process.poll() is None, self.running.log()[-3_000:]
        self.running.stop(signal.SIGKILL)
        self._stack.close()

    def stop(self) -> None:
        assert self.running is not None
        assert self.running.stop() == 0, self.running.log()[-3_000:]
        self._stack.close()
