from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from antiphon.cli.doctor_settings import explain_settings
from antiphon.cli.main import app
from antiphon.cli.serve import serve
from antiphon.domain.policies.life import LIVES, LivingDevice, StillDevice
from antiphon.errors import SettingsError
from antiphon.server.settings import ServerSettings
from antiphon.server.settings_sources import flag_of, load_settings, variable_of

OTHER: dict[str, tuple[Any, str]] = {
    # A value that is not the default, as TOML writes it, and the same as a variable's text.
    "home": ("/srv/lab", "/srv/lab"),
    "database": ("postgresql://u:pw@h/d", "postgresql://u:pw@h/d"),
    "host": ("::1", "::1"),
    "port": (9123, "9123"),
    "public_url": ("https://q.example.org", "https://q.example.org"),
    "tls_cert": ("/c.pem", "/c.pem"),
    "tls_key": ("/k.pem", "/k.pem"),
    "behind_proxy": (True, "true"),
    "trusted_proxies": ("10.0.0.1", "10.0.0.1"),
    "workers": (3, "3"),
    "inline_seconds": (0.5, "0.5"),
    "retention_days": (90, "90"),
    "archive_dir": ("/srv/archive", "/srv/archive"),
    "azure": (True, "1"),
    "azure_aliases": (False, "no"),
    "log_format": ("text", "text"),
    "log_level": ("debug", "debug"),
    "max_body_bytes": (5000, "5000"),
    "max_blob_bytes": (6000, "6000"),
    "max_storage_bytes": (7000, "7000"),
    "body_seconds": (3.5, "3.5"),
    "rate_limit": ("7/second", "7/second"),
    "max_streams": (11, "11"),
    "max_streams_per_key": (12, "12"),
    "drain_seconds": (1.5, "1.5"),
    "oidc": (
        [{"issuer": "https://i", "audience": "a", "emails": True}],
        '[{"issuer": "https://i", "audience": "a", "emails": true}]',
    ),
    "life": (
        [{"target": "emu.heron", "life": "busy", "seed": 7}],
        '[{"target": "emu.heron", "life": "busy", "seed": 7}]',
    ),
    "webhooks_allow_private": (True, "true"),
    "metrics_open": (False, "false"),
    "metrics_by_workspace": (True, "true"),
    "otlp_endpoint": ("http://127.0.0.1:4318", "http://127.0.0.1:4318"),
}
NEEDS = {"tls_cert": ("tls_key", "/k.pem"), "tls_key": ("tls_cert", "/c.pem")}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ServerSettings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)
    monkeypatch.setenv("ANTIPHON_HOME", str(tmp_path / "home"))


def plain(settings: ServerSettings, name: str) -> Any:
    return settings.model_dump(mode="json")[name]


def test_no_setting_is_forgotten_here() -> None:
    assert set(OTHER) == set(ServerSettings.model_fields)
    settings = ServerSettings()
    assert not [name for name, (value, _) in OTHER.items() if plain(settings, name) == value]


@pytest.mark.parametrize("name", list(OTHER))
def test_every_setting_has_a_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value, text = OTHER[name]
    for other, its in [NEEDS[name]] if name in NEEDS else []:
        monkeypatch.setenv(variable_of(other), its)
    monkeypatch.setenv(variable_of(name), text)
    loaded = load_settings()
    assert plain(loaded.settings, name) == value
    assert loaded.origins[name] == variable_of(name)


@pytest.mark.parametrize("name", list(OTHER))
def test_every_setting_can_be_in_a_file_that_a_variable_names(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    value, text = OTHER[name]
    monkeypatch.delenv("ANTIPHON_HOME")
    for other, its in [NEEDS[name]] if name in NEEDS else []:
        monkeypatch.setenv(variable_of(other), its)
    (tmp_path / "value").write_text(f"{text}\n")
    monkeypatch.setenv(f"{variable_of(name)}_FILE", str(tmp_path / "value"))
    loaded = load_settings()
    assert plain(loaded.settings, name) == value
    assert loaded.origins[name] == f"{variable_of(name)}_FILE"


@pytest.mark.parametrize("name", list(OTHER))
def test_every_setting_has_a_toml_key(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANTIPHON_HOME")
    value, _ = OTHER[name]
    path = tmp_path / "some.toml"
    written = {name: value, **dict([NEEDS[name]] if name in NEEDS else [])}
    path.write_text("\n".join(f"{key} = {_toml(each)}" for key, each in written.items()))
    loaded = load_settings(config=path)
    assert plain(loaded.settings, name) == value
    assert loaded.origins[name] == str(path)
    assert loaded.config == path


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return (
            "[" + ", ".join("{" + ", ".join(f"{k} = {json.dumps(v)}" for k, v in e.items()) + "}" for e in value) + "]"
        )
    return json.dumps(value)


@pytest.mark.parametrize("name", [name for name in OTHER if name != "home"])
def test_every_setting_has_a_flag(name: str) -> None:
    found = inspect.signature(serve).parameters.get(name)
    assert found is not None, f"antiphon serve has no option for {name}"
    assert found.default is None, "an option with a default would win over environment and file"
    click_command = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    flags = {flag for option in click_command.params for flag in option.opts}
    assert flag_of(name) in flags


def test_serve_has_no_flag_that_is_no_setting() -> None:
    assert set(inspect.signature(serve).parameters) - set(OTHER) == {"shell", "config", "ready_file"}


@pytest.mark.parametrize("name", list(OTHER))
def test_a_flag_wins_over_a_variable_over_a_file_over_toml(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    value, _ = OTHER[name]
    flag = {"oidc": ["https://i,a,emails"], "life": ["emu.heron=busy:7"]}.get(name, value)
    more = dict([NEEDS[name]] if name in NEEDS else [])
    path = tmp_path / "a.toml"
    path.write_text("port = 1\n")
    default = str(plain(ServerSettings(), name))
    other = {"oidc": "[]", "life": "[]", "None": "/x"}.get(name) or ("/x" if default == "None" else default)
    if name == "workers":
        other = "1"
    monkeypatch.setenv(variable_of(name), other)
    loaded = load_settings({name: flag, **more}, config=path)
    assert plain(loaded.settings, name) == value
    assert loaded.origins[name] == f"flag {flag_of(name)}"
    assert loaded.origins["port"] == (str(path) if name != "port" else "flag --port")


def test_the_environment_wins_over_toml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("port = 1\nhost = '::1'\n")
    monkeypatch.setenv("ANTIPHON_PORT", "2")
    loaded = load_settings(config=path)
    assert (loaded.settings.port, loaded.settings.host) == (2, "::1")


def test_antiphon_toml_in_the_home_folder_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "antiphon.toml").write_text("port = 77\n")
    assert load_settings({"home": tmp_path}).settings.port == 77
    monkeypatch.setenv("ANTIPHON_HOME", str(tmp_path))
    assert load_settings().settings.port == 77
    assert load_settings({"home": tmp_path / "other"}).settings.port == 8000
    monkeypatch.setenv("ANTIPHON_CONFIG", str(tmp_path / "antiphon.toml"))
    assert load_settings({"home": tmp_path / "other"}).settings.port == 77


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prot = 1\n", "prot"),
        ("port = \n", "TOMLDecodeError"),
        ("port = 70000\n", "port"),
        ("log_level = 'loud'\n", "log_level"),
        ("rate_limit = 'often'\n", "rate_limit"),
        ("tls_cert = '/c.pem'\n", "tls_key"),
        ("oidc = [{issuer = 'x'}]\n", "oidc"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(SettingsError) as refused:
        load_settings(config=tmp_path / "a.toml")
    assert told in str(refused.value)


def test_a_value_that_does_not_fit_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_PORT", "s3cret-in-the-wrong-place")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "ANTIPHON_PORT" in str(refused.value)
    assert "s3cret" not in str(refused.value)
    monkeypatch.delenv("ANTIPHON_PORT")
    monkeypatch.setenv("ANTIPHON_OIDC", "s3cret-in-the-wrong-place")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "https://i", "https://i,", ",a"])
def test_an_issuer_without_an_audience(text: str) -> None:
    with pytest.raises(SettingsError):
        load_settings({"oidc": [text]})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(config=tmp_path / "none.toml")


def test_the_doctor_says_where_each_value_came_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "antiphon.toml").write_text("drain_seconds = 3\n")
    monkeypatch.setenv("ANTIPHON_PORT", "9000")
    monkeypatch.setenv("ANTIPHON_DATABASE", "postgresql://me:hush@db/antiphon?password=hush&sslmode=require")
    check, lines = explain_settings(tmp_path)
    found = {line.name: line for line in lines}
    assert check.level == "ok"
    assert set(found) == set(ServerSettings.model_fields)
    assert (found["port"].value, found["port"].origin) == ("9000", "ANTIPHON_PORT")
    assert found["drain_seconds"].origin == str(tmp_path / "antiphon.toml")
    assert found["home"].origin == "flag --home"
    assert found["host"].origin == "default"
    assert "hush" not in json.dumps([line.to_json() for line in lines])
    assert all(line.meaning for line in lines)


def test_the_doctor_fails_on_settings_that_cannot_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANTIPHON_PORT", "many")
    check, lines = explain_settings(tmp_path)
    assert (check.level, lines) == ("fail", [])
    assert check.fix


def test_help_without_starting_anything() -> None:
    shown = CliRunner().invoke(app, ["serve", "--help"])
    assert shown.exit_code == 0
    assert "--drain-seconds" in shown.output


def test_an_issuer_on_the_command_line_vouches_for_no_addresses() -> None:
    (issuer,) = load_settings({"oidc": ["https://i,a"]}).settings.oidc
    assert (issuer.audience, issuer.emails) == ("a", False)


@pytest.mark.parametrize(
    "text", ["emu.heron", "emu.heron=", "=busy", "emu.heron=busy:x", "emu.heron=busy:", "emu.heron=wild"]
)
def test_a_life_that_is_none(text: str) -> None:
    with pytest.raises(SettingsError):
        load_settings({"life": [text]})


def test_a_life_may_have_a_seed_or_be_off() -> None:
    settings = load_settings({"life": ["emu.heron=busy", "emu.ion=off"]}).settings
    first, second = (each.device() for each in settings.life)
    assert (first, second.target) == (LivingDevice("emu.heron", LIVES["busy"], 0), "emu.ion")
    assert isinstance(second, StillDevice)
