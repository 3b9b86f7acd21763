from __future__ import annotations

import logging
import pickle
import traceback
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from antiphon.adapters.secrets import EnvironmentSecrets, FileSecrets, KeyringSecrets, SecretChain
from antiphon.composition import build_secrets
from antiphon.errors import SecretError
from antiphon.ports.secrets import Secret

VALUE = "q7-token-nobody-may-see"
KEY = "provider.ionq.token"


class MemoryKeyring(KeyringBackend):
    """A keyring of its own; the machine of the tests has none."""

    priority = 1.0

    def __init__(self, locked: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = locked

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked(f"locked, and it holds {VALUE}")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_environment(tmp_path: Path) -> None:
    assert EnvironmentSecrets({"ANTIPHON_SECRET_PROVIDER_IONQ_TOKEN": VALUE}).get(KEY) == Secret(VALUE)
    named = private(tmp_path / "x", f"{VALUE}\n")
    assert EnvironmentSecrets({"ANTIPHON_SECRET_PROVIDER_IONQ_TOKEN_FILE": str(named)}).get(KEY) == Secret(VALUE)
    assert EnvironmentSecrets({}).get(KEY) is None
    with pytest.raises(SecretError):
        EnvironmentSecrets({"ANTIPHON_SECRET_PROVIDER_IONQ_TOKEN_FILE": str(tmp_path / "none")}).get(KEY)


def test_files(tmp_path: Path) -> None:
    files = FileSecrets(tmp_path)
    assert files.get(KEY) is None
    path = private(tmp_path / KEY, f"{VALUE}\r\n")
    assert files.get(KEY) == Secret(VALUE)
    path.chmod(0o644)
    with pytest.raises(SecretError) as refused:
        files.get(KEY)
    assert refused.value.code == "secret-exposed"
    assert FileSecrets(tmp_path, private=False).get(KEY) == Secret(VALUE)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * 70_000])
def test_files_that_hold_no_secret(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / KEY
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SecretError):
        FileSecrets(tmp_path).get(KEY)


@pytest.mark.parametrize(
    "key", ["", "token", "../server.key", "a..b", "a/b.c", "A.b", "a.b\n", "a.b\0", "x." * 150 + "y"]
)
def test_names_that_are_none(tmp_path: Path, key: str) -> None:
    for source in (EnvironmentSecrets({}), FileSecrets(tmp_path), KeyringSecrets(), SecretChain([])):
        with pytest.raises(SecretError) as refused:
            source.get(key)
        assert refused.value.code == "secret-name-invalid"


def test_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = MemoryKeyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", ring)
    assert KeyringSecrets().get(KEY) is None
    keyring.set_password("antiphon", KEY, VALUE)
    assert KeyringSecrets().get(KEY) == Secret(VALUE)
    ring.locked = True
    with pytest.raises(SecretError) as refused:
        KeyringSecrets().get(KEY)
    assert VALUE not in str(refused.value)


def test_a_machine_without_a_keyring_has_no_secret_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring.core, "_keyring_backend", Keyring())  # type: ignore[no-untyped-call]
    assert KeyringSecrets().get(KEY) is None


def test_the_first_place_that_has_it(tmp_path: Path) -> None:
    private(tmp_path / KEY, "from the file")
    private(tmp_path / "provider.ionq.other", "only there")
    chain = SecretChain([EnvironmentSecrets({"ANTIPHON_SECRET_PROVIDER_IONQ_TOKEN": "x"}), FileSecrets(tmp_path)])
    assert chain.get(KEY) == Secret("x")
    assert chain.get("provider.ionq.other") == Secret("only there")
    assert chain.get("provider.ionq.none") is None
    assert chain.name == "environment, file"


def test_a_place_that_cannot_be_asked_ends_the_search(tmp_path: Path) -> None:
    private(tmp_path / KEY, "an old one")
    broken = EnvironmentSecrets({"ANTIPHON_SECRET_PROVIDER_IONQ_TOKEN_FILE": str(tmp_path / "gone")})
    with pytest.raises(SecretError):
        SecretChain([broken, FileSecrets(tmp_path)]).get(KEY)


def test_the_places_of_a_server(tmp_path: Path) -> None:
    assert [source.name for source in build_chain(tmp_path, {}).sources] == ["environment", "file", "keyring"]
    (tmp_path / "secrets").mkdir()
    private(tmp_path / "secrets" / KEY, VALUE)
    assert build_secrets(tmp_path, {}).get(KEY) == Secret(VALUE)
    with_vault = build_chain(tmp_path, {"VAULT_ADDR": "http://127.0.0.1:9", "VAULT_TOKEN": "t"})
    assert with_vault.sources[-1].name == "vault"
    with pytest.raises(SecretError):
        build_secrets(tmp_path, {"VAULT_ADDR": "http://127.0.0.1:9"})


def build_chain(home: Path, environ: dict[str, str]) -> SecretChain:
    chain = build_secrets(home, environ)
    assert isinstance(chain, SecretChain)
    return chain


def test_a_secret_shows_itself_to_nobody(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    secret = Secret(VALUE)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").warning("%s %r", secret, secret, extra={"held": secret})
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!s:>10}", repr([secret]), caplog.text]
    with pytest.raises(SecretError) as caught:
        raise SecretError(f"about {secret}", cause=repr({"s": secret}), details={"s": str(secret)})
    shown += [str(caught.value), repr(caught.value.to_dict()), "".join(traceback.format_exception(caught.value))]
    assert not [text for text in shown if VALUE in text]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(secret, protocol)
    with pytest.raises(TypeError):
        hash(secret)
    assert secret.reveal() == VALUE
    assert secret != Secret("other")
    assert not Secret("")
