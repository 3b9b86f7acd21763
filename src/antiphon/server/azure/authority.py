"""The private certificate authority with which this server answers for Azure's host names, to its own clients alone."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from antiphon.errors import StoreError

AUTHORITY_FILE = "azure-ca.pem"
"""Key and certificate, in the home folder, readable by its owner alone."""

PERMITTED = ("quantum.azure.com", "management.azure.com")
"""The certificate itself says that it vouches for these names and those below them, and for no other."""

AUTHORITY_LIFE = timedelta(days=397)
LEAF_LIFE = timedelta(days=7)
_CLOCK_SKEW = timedelta(minutes=5)


class PrivateAuthority:
    """Issues the server's certificates; made on first use and kept in the home folder.

    Clients trust it only where their own REQUESTS_CA_BUNDLE names it. Safe to use from several threads.

    Raises:
        StoreError: Its file cannot be made or read, or others may read it (code "store-permission").
    """

    def __init__(self, home: Path) -> None:
        self._path = home / AUTHORITY_FILE
        self._lock = threading.Lock()
        self._contexts: dict[str, tuple[datetime, ssl.SSLContext]] = {}
        self._key, self._certificate = _open(self._path)

    @property
    def certificate_pem(self) -> str:
        """The certificate that clients must trust; nothing in it is secret."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def context_for(self, host: str) -> ssl.SSLContext:
        """A TLS context whose certificate is for `host`; kept until half of the certificate's life is over."""
        with self._lock:
            now = datetime.now(UTC)
            renew_at, context = self._contexts.get(host, (now, None))
            if context is None or now >= renew_at:
                context = self._issue(host, now)
                self._contexts[host] = (now + LEAF_LIFE / 2, context)
            return context

    def _issue(self, host: str, now: datetime) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(host, self._certificate.subject, key, now, min(now + LEAF_LIFE, _ends(self._certificate)))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        # The standard library takes a certificate from a file only.
        with tempfile.TemporaryDirectory(prefix="antiphon-") as folder:
            file = Path(folder) / "leaf.pem"
            _write(file, key, certificate)
            context.load_cert_chain(file)
        return context


def _open(path: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    try:
        if path.exists():
            key, certificate = _read(path)
            # Every certificate it issues must end before it does.
            if _ends(certificate) > datetime.now(UTC) + 4 * LEAF_LIFE:
                return key, certificate
            path.unlink()
        with tempfile.TemporaryDirectory(prefix=".azure-ca-", dir=path.parent) as folder:
            made = Path(folder) / path.name
            _write(made, *_new_authority())
            with contextlib.suppress(FileExistsError):  # another server of this folder was first
                os.link(made, path)
        return _read(path)
    except OSError as error:
        raise StoreError(
            f"The certificate authority {path} cannot be used.",
            code="store-permission",
            cause=f"{type(error).__name__}: {error.strerror or error}",
            next_step="Make the folder writable.",
        ) from None


def _read(path: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    if path.stat().st_mode & 0o077:
        raise StoreError(
            f"Others may read the key of the certificate authority {path}.",
            code="store-permission",
            next_step="Remove the file and start again: it is made anew, and clients run `antiphon env azure` again.",
        )
    text = path.read_bytes()
    try:
        key = serialization.load_pem_private_key(text, password=None)
        certificate = x509.load_pem_x509_certificate(text)
    except ValueError as error:
        raise StoreError(
            f"The certificate authority {path} is damaged.",
            code="store-damaged",
            cause=str(error),
            next_step="Remove the file and start again: it is made anew, and clients run `antiphon env azure` again.",
        ) from None
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key, certificate


def _new_authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = _name(f"Antiphon private authority {os.urandom(4).hex()}")
    certificate = (
        _builder(None, name, key, now, now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.NameConstraints(permitted_subtrees=[x509.DNSName(name) for name in PERMITTED], excluded_subtrees=None),
            critical=True,
        )
        .add_extension(_signs_certificates(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _builder(
    host: str | None, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(host) if host else issuer)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _CLOCK_SKEW)
        .not_valid_after(end)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _signs_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        key_cert_sign=True,
        crl_sign=True,
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _ends(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_after_utc


def _write(path: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
