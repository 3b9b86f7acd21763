"""What deploy/ says is checked as far as this machine can: no container engine is needed, and none is used."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from antiphon.cli.main import app
from antiphon.server.settings import ServerSettings
from antiphon.server.settings_sources import PREFIX

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OURS = {f"{PREFIX}{name.upper()}" for name in ServerSettings.model_fields} | {"ANTIPHON_SERVER_SECRET"}


def instructions() -> list[tuple[str, str]]:
    """Instruction and arguments of each line of the Containerfile, continuation lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(name.upper(), rest.strip()) for name, _, rest in (line.strip().partition(" ") for line in lines)]


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


UNITS = ("antiphon", "antiphon-worker")


def unit(name: str) -> list[tuple[str, str]]:
    lines = (DEPLOY / "systemd" / f"{name}.service").read_text().splitlines()
    return [(name, value) for name, sign, value in (line.partition("=") for line in lines if line[:1] != "#") if sign]


def options_of(name: str) -> set[str]:
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    return {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}


def check_command(words: list[str]) -> None:
    assert words[0] in ("serve", "worker")
    unknown = {word for word in words if word.startswith("--")} - options_of(words[0])
    assert not unknown


def test_the_image_is_built_from_what_is_there() -> None:
    known = {"FROM", "ENV", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"}
    found = instructions()
    assert {name for name, _ in found} <= known | {"ENTRYPOINT", "CMD"}
    assert found[0][0] == "FROM"
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    stages = {rest.split()[-1] for name, rest in found if name == "FROM" and " AS " in rest}
    for name, rest in found:
        if name != "COPY":
            continue
        *sources, _ = [word for word in shlex.split(rest) if not word.startswith("--")]
        stage = re.search(r"--from=(\S+)", rest)
        if stage is not None:
            assert stage[1] in stages
            continue
        for source in sources:
            assert (ROOT / source).exists(), source
            assert source in allowed, f"{source} is not sent to the builder"


def test_the_image_runs_as_nobody_special_and_says_whether_it_is_well() -> None:
    last = dict(instructions())
    uid = last["USER"].partition(":")[0]
    assert uid.isdigit()
    assert int(uid) >= 1000
    assert "/readyz" in last["HEALTHCHECK"]
    assert last["ENTRYPOINT"] == '["antiphon"]'
    check_command(yaml.safe_load(last["CMD"]))
    assert last["STOPSIGNAL"] == "SIGTERM"
    names = set(re.findall(r"\bANTIPHON_\w+", last["ENV"]))
    assert names
    assert names <= OURS


def test_the_code_of_the_health_check_compiles() -> None:
    check = dict(instructions())["HEALTHCHECK"]
    command = yaml.safe_load(check[check.index("[") :])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")


def test_compose_starts_servers_that_share_a_database() -> None:
    services = compose()["services"]
    assert set(services) == {"server", "worker", "database"}
    for name in ("server", "worker"):
        service = services[name]
        check_command(service["command"])
        assert set(service["environment"]) <= OURS
        assert service["depends_on"]["database"]["condition"] == "service_healthy"
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).exists()
        drains = float(service["command"][service["command"].index("--drain-seconds") + 1])
        assert float(service["stop_grace_period"].removesuffix("s")) > drains
    volumes = {mount.partition(":")[0] for service in services.values() for mount in service["volumes"]}
    assert volumes == set(compose()["volumes"])
    assert all(port.startswith("127.0.0.1:") for port in services["server"]["ports"])
    assert "ports" not in services["database"]


def test_no_password_has_a_default() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    for name in ("POSTGRES_PASSWORD", "ANTIPHON_SERVER_SECRET"):
        uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", text)
        assert uses
        assert all(use.startswith(":?") for use in uses), uses
    image = " ".join(rest for _, rest in instructions())
    assert not re.search(r"(?i)password|secret|ant_[0-9a-z]{26}", image)
    assert not re.search(r"(?i)password\s*[=:]\s*[\"']?\w", re.sub(r"\$\{[^}]*\}", "", text))


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_starts_what_there_is(name: str) -> None:
    pairs = unit(name)
    ((_, start),) = [pair for pair in pairs if pair[0] == "ExecStart"]
    program, *words = shlex.split(start)
    assert program.endswith("/antiphon")
    check_command(words)
    drains = float(words[words.index("--drain-seconds") + 1])
    assert float(dict(pairs)["TimeoutStopSec"]) > drains
    variables = {value.partition("=")[0] for key, value in pairs if key == "Environment"}
    assert {variable for variable in variables if variable.startswith(PREFIX)} <= OURS


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit(tmp_path: Path, name: str) -> None:
    program = tmp_path / "antiphon"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = tmp_path / f"{name}.service"
    text = (DEPLOY / "systemd" / f"{name}.service").read_text()
    path.write_text(re.sub(r"ExecStart=\S+", f"ExecStart={program}", text))
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_page_names_files_that_are_there() -> None:
    text = (DEPLOY / "README.md").read_text()
    for name in set(re.findall(r"deploy/[\w./-]+\w", text)):
        assert (ROOT / name).exists(), name
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (DEPLOY / link).exists(), link
    assert set(re.findall(r"\bANTIPHON_[A-Z_]*[A-Z]", text)) <= OURS | {f"{name}_FILE" for name in OURS}
