"""A server with a certificate, and with one that it cannot use."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
from pathlib import Path

import pytest

from antiphon import Workspace
from antiphon.errors import ConnectionFailedError
from programs import BELL
from real_server import command_line, environment, real_server


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command_line(*arguments), capture_output=True, text=True, env=environment(env), timeout=60, check=False
    )


def test_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(certificate, key)
    with real_server(tmp_path / "lab", "--tls-cert", str(certificate), "--tls-key", str(key)) as server:
        assert server.url.startswith("https://")
        with server.client(verify=ssl.create_default_context(cafile=certificate)) as client:
            assert client.get("/v1/jobs").status_code == 200
        with Workspace(server.url, api_key=server.key, ca=certificate) as ws:
            assert ws.target("sim.auto").submit(BELL, 10).result(60).counts
        with pytest.raises(ConnectionFailedError, match="cannot be reached") as caught:
            Workspace(server.url, api_key=server.key)
        assert "certificate" in caught.value.cause.lower()


@pytest.mark.parametrize("what", ["missing", "damaged", "another's key"])
def test_a_certificate_that_cannot_be_used(what: str, tmp_path: Path) -> None:
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    if what != "missing":
        make_certificate(certificate, key)
    if what == "damaged":
        certificate.write_text("-----BEGIN CERTIFICATE-----\nno\n")
    if what == "another's key":
        make_certificate(tmp_path / "other.pem", key)
    given = ("--tls-cert", str(certificate), "--tls-key", str(key))
    done = run("serve", "--home", str(tmp_path / "lab"), "--port", "0", "--json", *given)
    assert done.returncode not in {0, 2}
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert error["code"] == "certificate-unusable"
    assert str(certificate) in error["message"]


def test_a_key_file_without_a_certificate(tmp_path: Path) -> None:
    done = run("serve", "--home", str(tmp_path), "--port", "0", "--json", "--tls-key", str(tmp_path / "none.pem"))
    assert done.returncode == 2
    assert json.loads(done.stderr.splitlines()[-1])["error"]["code"] == "settings-invalid"


def make_certificate(certificate: Path, key: Path) -> None:
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    handle = os.open(key, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
