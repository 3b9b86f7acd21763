"""`antiphon serve`: the same engine behind HTTP."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli.shell import Shell
from antiphon.errors import MissingExtraError

if TYPE_CHECKING:
    from antiphon.domain.identity import ApiKey
    from antiphon.server.services import Services
    from antiphon.server.settings import ServerSettings


def serve(
    shell: Shell,
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one [8000].")] = None,
    azure: Annotated[
        bool | None, typer.Option("--azure/--no-azure", help="Speak Azure Quantum's protocol too [no].")
    ] = None,
    azure_aliases: Annotated[
        bool | None,
        typer.Option("--azure-aliases/--no-azure-aliases", help="Serve other providers' target names there [yes]."),
    ] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings [antiphon.toml in the folder].")] = None,
    database: Annotated[str | None, typer.Option(metavar="URL", help="PostgreSQL instead of SQLite.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes at most [one a processor].")] = None,
    inline_seconds: Annotated[float | None, typer.Option(help="Jobs this short run in the server [0.005].")] = None,
    public_url: Annotated[str | None, typer.Option(metavar="URL", help="URL that clients use, behind a proxy.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(metavar="PEM", help="Certificate chain, for HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")] = None,
    behind_proxy: Annotated[
        bool | None, typer.Option("--behind-proxy/--no-behind-proxy", help="A proxy in front speaks TLS [no].")
    ] = None,
    trusted_proxies: Annotated[str | None, typer.Option(help="Addresses of such proxies [127.0.0.1].")] = None,
    log_format: Annotated[str | None, typer.Option(help="json or text [json].")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error [info].")] = None,
    max_body_bytes: Annotated[int | None, typer.Option(help="Largest body [32 MiB].")] = None,
    max_blob_bytes: Annotated[int | None, typer.Option(help="Largest blob of Azure's storage [256 MiB].")] = None,
    max_storage_bytes: Annotated[
        int | None, typer.Option(help="All that one workspace keeps in that storage [64 GiB].")
    ] = None,
    body_seconds: Annotated[float | None, typer.Option(help="Time for a body to come [30].")] = None,
    rate_limit: Annotated[str | None, typer.Option(help="Requests of one key [60000/minute].")] = None,
    max_streams: Annotated[
        int | None, typer.Option(help="Event streams and long polls open at once, of everybody [2000].")
    ] = None,
    max_streams_per_key: Annotated[int | None, typer.Option(help="The same, of one key [200].")] = None,
    drain_seconds: Annotated[float | None, typer.Option(help="Time to finish when told to stop [20].")] = None,
    retention_days: Annotated[int | None, typer.Option(help="Move what ended so many days ago to the archive.")] = None,
    archive_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the archive [archive in the data folder].")
    ] = None,
    oidc: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ISSUER,AUDIENCE[,emails]", help="An OpenID provider whose tokens are accepted; repeat it."
        ),
    ] = None,
    life: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TARGET=LIFE[:SEED]", help="An emulated device lives: quiet, busy, bad-day or off; repeat it."
        ),
    ] = None,
    webhooks_allow_private: Annotated[
        bool | None,
        typer.Option(
            "--webhooks-allow-private/--no-webhooks-allow-private", help="Webhooks to private addresses [no]."
        ),
    ] = None,
    metrics_open: Annotated[
        bool | None,
        typer.Option("--metrics-open/--no-metrics-open", help="Metrics without a key [on loopback, without a proxy]."),
    ] = None,
    metrics_by_workspace: Annotated[
        bool | None,
        typer.Option("--metrics-by-workspace/--no-metrics-by-workspace", help="Label metrics with the workspace [no]."),
    ] = None,
    otlp_endpoint: Annotated[str | None, typer.Option(metavar="URL", help="Where traces go (OTLP over HTTP).")] = None,
    ready_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Written when ready: one JSON object with the URL.")
    ] = None,
) -> None:
    """Serve this folder's workspaces over HTTP until told to stop.

    The first start makes an admin's key and shows it once. Every option is also a variable (ANTIPHON_PORT, …) and a
    key of antiphon.toml; `antiphon doctor` says where each value came from.
    """
    flags = {name: value for name, value in locals().items() if name not in {"shell", "config", "ready_file"}}
    try:
        from antiphon.server.first_start import check_safe, first_key
        from antiphon.server.serve import serve as run
        from antiphon.server.serve import start
        from antiphon.server.settings_sources import load_settings
        from antiphon.server.telemetry.logs import configure_logs
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == "antiphon":
            raise
        raise MissingExtraError.of(error.name or "fastapi", "server", "`antiphon serve`") from None

    settings = load_settings({"home": shell.home, **flags}, config=config).settings
    configure_logs(settings.log_format, settings.log_level)
    listener, services = start(settings, check_safe)
    key = first_key(services.engine)
    _warn(shell, settings)

    def ready(url: str, services: Services) -> None:
        facts = {"url": url, "home": str(services.running.home), "azure": settings.azure, "pid": os.getpid()}
        if ready_file is not None:
            _write_at_once(ready_file, facts)
        _tell(shell, facts, key)

    run(settings, services=services, listener=listener, on_ready=ready)


def _tell(shell: Shell, facts: dict[str, Any], key: tuple[ApiKey, str] | None) -> None:
    from antiphon import __version__

    if shell.as_json:
        first = None if key is None else {"id": key[0].id, "key": key[1], "workspace": key[0].workspace}
        shell.line({**facts, "version": __version__, "first_key": first})
        return
    if key is not None:
        # Never held back by --quiet: it is shown this once.
        shell.err.print(
            f"The first key, an admin's of the workspace {key[0].workspace}; it is shown only now:\n  {key[1]}",
            soft_wrap=True,
            markup=False,
        )
    shell.note(f"Antiphon {__version__} listening on {facts['url']}, with the data in {facts['home']}")


def _warn(shell: Shell, settings: ServerSettings) -> None:
    from antiphon.server.first_start import is_loopback

    if not (is_loopback(settings.host) or settings.tls_cert or settings.behind_proxy):
        shell.note(
            f"Warning: keys travel in clear text to {settings.host}. Give --tls-cert and --tls-key, "
            "or put a proxy in front that speaks TLS and say --behind-proxy."
        )


def _write_at_once(path: Path, facts: dict[str, Any]) -> None:
    # Whoever waits for the file must never read half of it.
    half = path.with_name(path.name + ".part")
    half.write_text(json.dumps(facts) + "\n")
    half.replace(path)
