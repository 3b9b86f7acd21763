from __future__ import annotations

import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from antiphon.errors import StoreError
from antiphon.server.azure import authority
from antiphon.server.azure.authority import AUTHORITY_FILE, LEAF_LIFE, PERMITTED, PrivateAuthority

HOST = "eastus.quantum.azure.com"


def leaf_of(found: PrivateAuthority, issued_for: str, *, asked_as: str | None = None) -> x509.Certificate:
    """The certificate that a real handshake shows, checked by OpenSSL against the authority."""
    client_context = ssl.create_default_context(cadata=found.certificate_pem)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=asked_as or issued_for)
    server = found.context_for(issued_for).wrap_bio(to_server, to_client, server_side=True)
    while True:
        done = 0
        for side in (client, server):
            try:
                side.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                pass
        if done == 2:
            shown = client.getpeercert(binary_form=True)
            assert shown is not None
            return x509.load_der_x509_certificate(shown)


def test_a_leaf_is_for_its_host_and_lives_short(tmp_path: Path) -> None:
    leaf = leaf_of(PrivateAuthority(tmp_path), HOST)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= LEAF_LIFE + timedelta(minutes=6)
    assert leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    ) == [HOST]


def test_a_leaf_serves_no_other_host(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        leaf_of(PrivateAuthority(tmp_path), HOST, asked_as="westus.quantum.azure.com")


def test_the_authority_vouches_for_azures_names_alone(tmp_path: Path) -> None:
    """Whoever steals the key cannot stand in for a bank: OpenSSL itself refuses."""
    found = PrivateAuthority(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        leaf_of(found, "www.example.com")
    assert all(leaf_of(found, f"a.{name}") for name in PERMITTED)


def test_the_key_is_the_owners_alone_and_not_handed_out(tmp_path: Path) -> None:
    found = PrivateAuthority(tmp_path)
    assert stat.S_IMODE((tmp_path / AUTHORITY_FILE).stat().st_mode) == 0o600
    assert "PRIVATE" not in found.certificate_pem
    assert sorted(path.name for path in tmp_path.iterdir()) == [AUTHORITY_FILE]


def test_it_is_made_once_however_many_ask_at_once(tmp_path: Path) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(PrivateAuthority(tmp_path).certificate_pem)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1


def test_a_context_is_kept_while_its_certificate_is_young(tmp_path: Path) -> None:
    found = PrivateAuthority(tmp_path)
    assert found.context_for(HOST) is found.context_for(HOST)
    assert found.context_for(HOST) is not found.context_for("westus.quantum.azure.com")


def test_an_authority_near_its_end_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(authority, "AUTHORITY_LIFE", timedelta(days=2))
        old = PrivateAuthority(tmp_path)
        assert leaf_of(old, HOST).not_valid_after_utc < datetime.now(UTC) + timedelta(days=3)
    assert PrivateAuthority(tmp_path).certificate_pem != old.certificate_pem


@pytest.mark.parametrize("damage", ["others may read it", "not a certificate", "no folder"])
def test_what_cannot_be_used_is_said(tmp_path: Path, damage: str) -> None:
    home = tmp_path / "home"
    if damage != "no folder":
        home.mkdir()
        PrivateAuthority(home)
    if damage == "others may read it":
        (home / AUTHORITY_FILE).chmod(0o644)
    if damage == "not a certificate":
        (home / AUTHORITY_FILE).write_text("nonsense")
    with pytest.raises(StoreError) as refused:
        PrivateAuthority(home)
    assert refused.value.next_step
