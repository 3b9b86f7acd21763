from __future__ import annotations

import os
from pathlib import Path

import pytest

from antiphon.composition import build_engine


@pytest.mark.skipif(os.name != "posix", reason="other systems have other permissions")
def test_a_new_folder_is_its_users_alone_and_one_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    shared.chmod(0o755)
    for folder, mode in ((tmp_path / "new", 0o700), (shared, 0o755)):
        build_engine(folder, dispatch=False).close()
        assert folder.stat().st_mode & 0o777 == mode
