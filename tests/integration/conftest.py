from __future__ import annotations

from workspaces import open_workspace, pytest_generate_tests, shared_server, ws

__all__ = ["open_workspace", "pytest_generate_tests", "shared_server", "ws"]
