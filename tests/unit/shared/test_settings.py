from pathlib import Path

import pytest

from shared.settings import SettingsError, SharedSettings, load


def test_local_mode_needs_nothing() -> None:
    assert load(SharedSettings).mode == "local"


def test_production_refuses_to_start_without_real_values_and_names_them() -> None:
    with pytest.raises(SettingsError, match=r"MAYFLY_REDIS_URL, MAYFLY_ISSUER must be set"):
        load(SharedSettings, mode="production")


def test_production_refuses_an_emulator() -> None:
    with pytest.raises(SettingsError, match="MAYFLY_AWS_ENDPOINT_URL is for local mode"):
        load(SharedSettings, mode="production", redis_url="r", issuer="i", aws_endpoint_url="http://127.0.0.1:1")


def test_a_wrong_value_is_named_and_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAYFLY_PORT", "hunter2")
    with pytest.raises(SettingsError, match="MAYFLY_PORT") as raised:
        load(SharedSettings)
    assert "hunter2" not in str(raised.value)


def test_an_argument_beats_the_environment_and_that_beats_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "redis-url"
    secret.write_text("redis://from-file\n")
    monkeypatch.setenv("MAYFLY_REDIS_URL_FILE", str(secret))
    assert load(SharedSettings).redis_url == "redis://from-file"
    monkeypatch.setenv("MAYFLY_REDIS_URL", "redis://from-environment")
    assert load(SharedSettings).redis_url == "redis://from-environment"
    assert load(SharedSettings, redis_url="redis://argument").redis_url == "redis://argument"


def test_a_secret_file_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAYFLY_REDIS_URL_FILE", "/nowhere/url")
    with pytest.raises(SettingsError, match="MAYFLY_REDIS_URL_FILE=/nowhere/url: No such file"):
        load(SharedSettings)
