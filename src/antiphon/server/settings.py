"""Settings of a server: flag, then environment (ANTIPHON_…), then the TOML file, then the default."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from limits import parse
from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from antiphon.domain.policies.life import LIVES, LivingDevice, StillDevice


class OidcIssuer(BaseModel):
    """An OpenID provider whose tokens are accepted.

    Attributes:
        issuer: Its URL, exactly as in the `iss` claim.
        audience: What the `aud` claim must hold.
        emails: Whether memberships may be under the e-mail that it says is verified, too. Only for a provider that
            everybody here trusts with every address: whoever runs it can say that an address is theirs.
    """

    issuer: str
    audience: str
    emails: bool = False


class LifeSetting(BaseModel):
    """An emulated device that is to live from now on.

    Attributes:
        target: Its name, e.g. "emu.heron".
        life: "quiet", "busy" or "bad-day"; "off" makes it stand still.
        seed: Another seed is another history.
    """

    target: str
    life: str
    seed: int = 0

    @field_validator("life")
    @classmethod
    def _life_is_known(cls, value: str) -> str:
        if value not in LIVES and value != "off":
            raise ValueError(f"there is no life {value!r}: choose one of {', '.join(LIVES)}, or off")
        return value

    def device(self) -> LivingDevice | StillDevice:
        """The same as a device to be given to an engine."""
        if self.life == "off":
            return StillDevice(self.target)
        return LivingDevice(self.target, LIVES[self.life], self.seed)


class ServerSettings(BaseSettings):
    """Everything that can be set; no file is needed."""

    model_config = SettingsConfigDict(env_prefix="ANTIPHON_", env_nested_delimiter="__", extra="ignore")

    home: Path | None = Field(default=None, description="Folder with the data.")
    database: str | None = Field(
        default=None, description="URL of a PostgreSQL database instead of SQLite in the folder."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: str | None = Field(
        default=None, description="URL that clients reach this server under, behind a proxy."
    )
    tls_cert: Path | None = Field(default=None, description="Certificate chain (PEM) to serve HTTPS with.")
    tls_key: Path | None = Field(default=None, description="Private key (PEM) of the certificate.")
    behind_proxy: bool = Field(
        default=False, description="A proxy in front speaks TLS and sets X-Forwarded-For and -Proto."
    )
    trusted_proxies: str = Field(default="127.0.0.1", description="Addresses of proxies in front, separated by commas.")
    workers: int | None = Field(default=None, ge=0, description="Worker processes at most; default one a processor.")
    inline_seconds: float = Field(
        default=0.005, ge=0, description="A job estimated to take no longer runs in the server's own process."
    )
    azure: bool = Field(default=False, description="Speak the Azure Quantum protocol too.")
    azure_aliases: bool = Field(
        default=True, description="Serve the target names of other providers there, emulated by our simulators."
    )
    log_format: str = Field(default="json", pattern="^(json|text)$", description="json or text.")
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error."
    )
    max_body_bytes: int = Field(default=32 * 1024 * 1024, gt=0, description="Largest body of a request, blobs apart.")
    max_blob_bytes: int = Field(
        default=256 * 1024 * 1024, gt=0, description="Largest blob of the Azure protocol's storage."
    )
    max_storage_bytes: int = Field(
        default=64 * 1024**3, gt=0, description="All that one workspace keeps in that storage, results apart."
    )
    body_seconds: float = Field(
        default=30.0, gt=0, description="Time within which a request's head, then its body, must have come."
    )
    rate_limit: str = Field(default="60000/minute", description="Requests of one key; empty for no limit.")
    max_streams: int = Field(
        default=2_000, gt=0, description="Event streams and long polls open at once, of everybody."
    )
    max_streams_per_key: int = Field(
        default=200, gt=0, description="Event streams and long polls open at once, of one key."
    )
    drain_seconds: float = Field(default=20.0, ge=0, description="Time to finish what is under way when told to stop.")
    retention_days: int | None = Field(
        default=None, ge=1, description="Move what ended so many days ago to the archive; default: keep everything."
    )
    archive_dir: Path | None = Field(default=None, description="Folder of the archive; default: in the data folder.")
    oidc: list[OidcIssuer] = Field(default_factory=list, description="OpenID providers whose tokens are accepted.")
    life: list[LifeSetting] = Field(
        default_factory=list, description="Emulated devices that live: the target, and how; the folder remembers."
    )
    webhooks_allow_private: bool = Field(default=False, description="Let webhooks go to private addresses (for tests).")
    metrics_open: bool | None = Field(
        default=None, description="Metrics without a key; default: only on loopback without a proxy in front."
    )
    metrics_by_workspace: bool = Field(
        default=False, description="Label metrics with the workspace; for a server with few of them."
    )
    otlp_endpoint: str | None = Field(default=None, description="Where traces go (OpenTelemetry over HTTP).")

    @field_validator("otlp_endpoint")
    @classmethod
    def _endpoint_is_http(cls, value: str | None) -> str | None:
        if value is not None and not (value.startswith(("http://", "https://")) and urlsplit(value).hostname):
            raise ValueError("it is no http:// or https:// URL")
        return value

    @field_validator("rate_limit")
    @classmethod
    def _rate_limit_reads(cls, value: str) -> str:
        for each in value.split(";"):
            if each.strip():
                parse(each.strip())
        return value

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key need each other")
        return self

    def max_body_of(self, path: str) -> int:
        """How many bytes a request to this path may have: more for the blobs of the Azure protocol's storage."""
        own = path.startswith(("/v1", "/subscriptions"))
        return self.max_blob_bytes if self.azure and not own else self.max_body_bytes
