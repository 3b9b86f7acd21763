"""`antiphon env`: what a shell must export so that programs written for another service run against this one."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from antiphon.cli.command import command
from antiphon.cli.shell import URL_VARIABLE, Shell, called_as
from antiphon.errors import AntiphonError, AuthenticationError, ConnectionFailedError, LimitError, StoreError

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(help="What a shell must export for programs of other SDKs.", no_args_is_help=True)

DEFAULT_URL = "http://127.0.0.1:8000"


class ShellKind(StrEnum):
    """Whose syntax to print."""

    BASH = "bash"
    FISH = "fish"
    POWERSHELL = "powershell"


class Mode(StrEnum):
    """How Microsoft's clients get here."""

    PROXY = "proxy"
    IDENTITY = "identity"
    DIRECT = "direct"


@app.command("azure")
@command
def azure(
    shell: Shell,
    url: Annotated[
        str | None, typer.Option("--url", help=f"The server (default: ${URL_VARIABLE}, or {DEFAULT_URL}).")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="An API key of it (default: $ANTIPHON_API_KEY).")] = None,
    workspace: Annotated[
        str | None, typer.Option("--workspace", metavar="NAME", help="Must be the key's own, which is the default.")
    ] = None,
    syntax: Annotated[ShellKind, typer.Option("--shell", help="Whose syntax to print.")] = ShellKind.BASH,
    mode: Annotated[
        Mode,
        typer.Option(
            "--mode",
            help="proxy: programs stay as they are. identity: the same, signed in as if on Azure; programs give a "
            "resource id, and list our own targets beside those of known providers. direct: no proxy and no "
            "certificate, but each Workspace(…) names the server in _quantum_endpoint=.",
        ),
    ] = Mode.PROXY,
) -> None:
    """Print what lets an untouched Azure Quantum program run here: eval "$(antiphon env azure --url … --key …)"."""
    from antiphon.azure.addresses import resource_id
    from antiphon.client.remote.address import checked_url

    server = checked_url(url or os.environ.get(URL_VARIABLE) or DEFAULT_URL)
    api_key = _key(key)
    answer = _ask(server, api_key)
    own = str(answer["workspace"])
    if workspace is not None and workspace.lower() != own.lower():
        raise AuthenticationError(
            f"This key opens the workspace {own}, not {workspace}.",
            code="workspace-other",
            next_step=f"Leave --workspace out, or give a key of {workspace}.",
        )
    variables = _common(own, api_key)
    if mode is not Mode.DIRECT:
        _check_proxy(server, answer)
        variables |= _through_proxy(server, _keep_certificate(shell, str(answer["certificate"])))
    if mode is Mode.IDENTITY:
        variables |= _signed_in(server, api_key)
    shell.data(variables, lambda: _print(syntax, variables))
    _advise(shell, server, syntax, mode, resource_id(own))


def exports(syntax: ShellKind, variables: Mapping[str, str]) -> str:
    """The lines that set variables, whatever their values hold, in the syntax of a shell."""
    match syntax:
        case ShellKind.BASH:
            return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        case ShellKind.FISH:
            return "".join(
                "set -gx {} '{}'\n".format(name, value.replace("\\", "\\\\").replace("'", "\\'"))
                for name, value in variables.items()
            )
        case ShellKind.POWERSHELL:
            return "".join(
                "$env:{} = '{}'\n".format(name, value.replace("'", "''")) for name, value in variables.items()
            )


def _key(given: str | None) -> str:
    from antiphon.client.remote.address import KEY_VARIABLE, api_key_or_default

    key = api_key_or_default(given)
    if key is None:
        raise AuthenticationError(
            "An API key is needed.",
            code="key-missing",
            next_step=f"Give --key, or set {KEY_VARIABLE}. `antiphon keys create` makes one.",
        )
    return key


def _ask(server: str, key: str) -> dict[str, Any]:
    from antiphon.client.remote.http import HttpSession

    session = HttpSession(server, key)
    try:
        return session.get("/azure/connection", dict)
    except AntiphonError as error:
        if error.code not in {"route-unknown", "server-unknown"}:
            raise
        raise ConnectionFailedError(
            f"The server {server} does not speak the Azure Quantum protocol.",
            code="azure-off",
            cause=error.cause or error.message,
            next_step="Start it with `antiphon serve --azure`.",
        ) from None
    finally:
        session.close()


def _common(workspace: str, key: str) -> dict[str, str]:
    from antiphon.azure.addresses import REGION, RESOURCE_GROUP, SUBSCRIPTION, connection_string

    return {
        "AZURE_QUANTUM_CONNECTION_STRING": connection_string(key, workspace),
        # Set as well, since the clients prefer whatever a shell still holds of these from a workspace in the cloud.
        "AZURE_QUANTUM_SUBSCRIPTION_ID": SUBSCRIPTION,
        "AZURE_QUANTUM_WORKSPACE_RG": RESOURCE_GROUP,
        "AZURE_QUANTUM_WORKSPACE_NAME": workspace,
        "AZURE_QUANTUM_WORKSPACE_LOCATION": REGION,
        "QDK_PYTHON_TELEMETRY": "none",
    }


def _signed_in(server: str, key: str) -> dict[str, str]:
    return {
        # A connection string would be preferred, and the clients would not ask what kind of workspace this is.
        "AZURE_QUANTUM_CONNECTION_STRING": "",
        "IDENTITY_ENDPOINT": f"{server}/azure/identity",
        "IDENTITY_HEADER": key,
    }


def _check_proxy(server: str, answer: Mapping[str, Any]) -> None:
    if answer.get("proxy") and urlsplit(server).scheme == "http" and not urlsplit(server).path:
        return
    raise LimitError(
        f"The server {server} cannot be the proxy that an untouched program needs.",
        code="proxy-unusable",
        cause="it speaks TLS, or another server stands in front of it",
        next_step="Name it in the program instead: antiphon.azure.workspace(url, api_key), or use --mode direct.",
    )


def _through_proxy(server: str, certificate: Path) -> dict[str, str]:
    address = urlsplit(server)
    own = ("127.0.0.1", "localhost", address.hostname or "")
    hosts = dict.fromkeys(host.strip() for host in (*own, *os.environ.get("NO_PROXY", "").split(",")))
    without_proxy = ",".join(host for host in hosts if host)
    return {
        "HTTPS_PROXY": server,
        "https_proxy": server,
        # Blobs travel on plain HTTP to the server itself.
        "NO_PROXY": without_proxy,
        "no_proxy": without_proxy,
        # Only this authority: all other HTTPS of the program would end at the proxy anyway, which refuses it.
        "REQUESTS_CA_BUNDLE": str(certificate),
    }


def _keep_certificate(shell: Shell, pem: str) -> Path:
    """A file of the user's that holds the server's certificate; servers with other certificates have other files."""
    import hashlib

    from antiphon.composition import default_home

    folder = (shell.home or default_home()).absolute()
    path = folder / f"azure-ca-{hashlib.sha256(pem.encode()).hexdigest()[:16]}.crt"
    try:
        if not path.exists() or path.read_text() != pem:
            folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.write_text(pem)
            fresh.replace(path)
    except OSError as error:
        raise StoreError(
            f"The server's certificate cannot be kept in {path}.",
            code="store-permission",
            cause=f"{type(error).__name__}: {error.strerror or error}",
            next_step="Give a folder that you may write to with --home DIR.",
        ) from None
    return path


def _print(syntax: ShellKind, variables: Mapping[str, str]) -> RenderableType | None:
    sys.stdout.write(exports(syntax, variables))  # not through rich: a wrapped or coloured line could not be evaluated
    return None


def _advise(shell: Shell, server: str, syntax: ShellKind, mode: Mode, resource: str) -> None:
    if urlsplit(server).scheme == "http" and urlsplit(server).hostname not in {"127.0.0.1", "localhost", "::1"}:
        shell.note("[yellow]Warning:[/] the key and the programs travel to this server without encryption.")
    if sys.stdout.isatty() and not shell.as_json:
        typed = {
            ShellKind.BASH: f'eval "$({called_as()} env azure …)"',
            ShellKind.FISH: f"{called_as()} env azure --shell fish … | source",
            ShellKind.POWERSHELL: f"{called_as()} env azure --shell powershell … | Out-String | Invoke-Expression",
        }
        shell.note(f"These lines hold the key. To set them without showing them: {typed[syntax]}")
    if mode is Mode.DIRECT:
        shell.note(f'In the program: Workspace(resource_id="{resource}", _quantum_endpoint="{server}/")')
    elif mode is Mode.IDENTITY:
        shell.note(f'In the program: Workspace(resource_id="{resource}")')
    else:
        shell.note(f'Programs run as they are. Where one asks for a resource id: "{resource}"')
