from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.client.remote.address import api_key_or_default, checked_url, is_url
from antiphon.errors import AuthenticationError, ConnectionFailedError


@pytest.mark.parametrize(
    ("where", "is_one"),
    [
        ("http://host:8000", True),
        ("HTTPS://host", True),
        ("./lab", False),
        ("host:8000", False),
        (None, False),
        (Path("http:"), False),
    ],
)
def test_a_url_is_told_from_a_folder(where: object, is_one: bool) -> None:
    assert is_url(where) is is_one


@pytest.mark.parametrize("url", ["http://host:8000", "https://host/base", "http://[::1]:80"])
def test_the_slash_at_the_end_does_not_matter(url: str) -> None:
    assert checked_url(url) == checked_url(url + "/") == url


@pytest.mark.parametrize(
    "url",
    ["http://", "http://:80", "http://host:99999", "http://host:x", "http://u:hunter2@host", "http://host?key=hunter2"],
)
def test_what_cannot_be_used_is_refused_and_not_echoed(url: str) -> None:
    with pytest.raises(ConnectionFailedError) as caught:
        checked_url(url)
    assert caught.value.code == "url-invalid"
    assert "hunter2" not in str(caught.value)


def test_the_key_of_the_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTIPHON_API_KEY", raising=False)
    assert api_key_or_default(None) is None
    monkeypatch.setenv("ANTIPHON_API_KEY", "from-outside\n")
    assert api_key_or_default(None) == "from-outside"
    assert api_key_or_default(" given ") == "given"


def test_the_key_may_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTIPHON_API_KEY", raising=False)
    monkeypatch.setenv("ANTIPHON_API_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(AuthenticationError) as caught:
        api_key_or_default(None)
    assert caught.value.code == "key-unreadable"
    (tmp_path / "key").write_text("from-the-file\n")
    assert api_key_or_default(None) == "from-the-file"
    monkeypatch.setenv("ANTIPHON_API_KEY", "from-outside")
    assert api_key_or_default(None) == "from-outside"


@pytest.mark.parametrize("key", ["hunter 2", "hunter\n2", "hünter2"])
def test_a_key_that_is_none_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        api_key_or_default(key)
    assert "nter" not in str(caught.value)


def test_who_opens_a_folder_loads_no_http_client(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom antiphon import Workspace\n"
        "Workspace(sys.argv[1], dispatch=False).close()\n"
        "print({'httpx2', 'tenacity', 'fastapi'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
