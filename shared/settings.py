"""The only reader of the environment.

A value comes from, in this order: an argument, the environment (`MAYFLY_…`), a file named by `MAYFLY_…_FILE`,
the SSM Parameter Store below `MAYFLY_SSM_PREFIX`, the default.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "MAYFLY_"


class SettingsError(Exception):
    """A setting is missing or wrong. The text is one line that names it and the remedy."""


class SharedSettings(BaseSettings):
    """What both services need to know. Each field is documented in docs/reference/settings.md from here."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    mode: Literal["local", "production"] = Field(
        "local", description="`local` brings generated keys, demo users and an AWS emulator; `production` none of them."
    )
    ssm_prefix: str | None = Field(
        None, description="Read the settings that are given nowhere else from the SSM Parameter Store below this path."
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="The port to listen on.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least level that is logged."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="`json`: one object a line; `console`: colours for people; `auto`: console on a terminal."
    )
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0", description="The Redis that carries revocations and counts attempts."
    )
    aws_region: str = Field("us-east-1", description="The AWS region.")
    aws_endpoint_url: str | None = Field(None, description="The address of an AWS emulator; local mode only.")
    aws_access_key_id: SecretStr | None = Field(
        None, description="AWS credentials, if the instance's role does not give them. (Local mode: `test`.)"
    )
    aws_secret_access_key: SecretStr | None = Field(None, description="Goes with `aws_access_key_id`.")
    table_prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9_.-]*$", description="Put before the name of each DynamoDB table."
    )
    issuer: str = Field("http://127.0.0.1:8001", description="auth's public address: the `iss` of each token.")
    audience: str = Field("mayfly", description="The `aud` of each access token.")
    jwks_url: str | None = Field(None, description="Where auth's public keys are; by default below the issuer.")
    clock_skew_seconds: int = Field(5, ge=0, le=60, description="How far the clocks of two instances may be apart.")
    revocation_max_staleness_seconds: float = Field(
        2.0,
        ge=0.5,
        le=60,
        description="The published bound: no revoked token is accepted longer than this after its revocation. "
        "The same for auth and all who verify; auth compares Redis with the truth four times in it.",
    )
    revocation_read_timeout_seconds: float = Field(
        0.08, gt=0, le=5, description="How long a verifier waits for DynamoDB when it can't trust what it has heard."
    )
    drain_seconds: float = Field(
        0.0, ge=0, le=300, description="After SIGTERM: how long `/readyz` says 503 while requests are still taken."
    )
    shutdown_deadline_seconds: int = Field(20, ge=1, le=900, description="How long requests under way may take to end.")
    max_body_bytes: int = Field(
        1_048_576, ge=1024, description="The largest request body; a larger one is answered 413."
    )
    header_timeout_seconds: float = Field(
        10, gt=0, le=300, description="How long the header fields of a request may take; slower ones are answered 408."
    )
    body_timeout_seconds: float = Field(
        30, gt=0, le=3600, description="How long a request's body may take to arrive; a slower one is answered 408."
    )
    trusted_proxies: str = Field(
        "", description="Comma-separated addresses or networks whose `X-Forwarded-For` is believed; none by default."
    )

    @model_validator(mode="after")
    def _production_needs_real_values(self) -> "SharedSettings":
        if self.mode == "local":
            return self
        if missing := self.missing_in_production(self.model_fields_set):
            raise ValueError(missing)
        if self.aws_endpoint_url is not None:
            message = f"{PREFIX}AWS_ENDPOINT_URL is for local mode; remove it, or set {PREFIX}MODE=local"
            raise ValueError(message)
        return self

    @classmethod
    def required_in_production(cls) -> tuple[str, ...]:
        """The fields that have no safe default outside local mode."""
        return ("redis_url", "issuer")

    @classmethod
    def missing_in_production(cls, given: Collection[str]) -> str:
        """The words for what is required there and was not given; empty if all was."""
        missing = [PREFIX + name.upper() for name in cls.required_in_production() if name not in given]
        return f"{', '.join(missing)} must be set when {PREFIX}MODE is not local" if missing else ""

    @property
    def effective_jwks_url(self) -> str:
        return self.jwks_url or f"{self.issuer}/.well-known/jwks.json"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings names it; we read no .env
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ours is a file a setting, not a folder
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FileSource(settings_cls), _SsmSource(settings_cls)


class _FileSource(PydanticBaseSettingsSource):
    """`MAYFLY_NAME_FILE=/run/secrets/name` gives the setting `name`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[str | None, str, bool]:  # noqa: ARG002 - fixed by the base class
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")  # noqa: TID251 - this module is the one place
        # A field that is itself a path (`…_file`) is never read through another file.
        if path is None:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except OSError as error:
            message = f"{PREFIX}{field_name.upper()}_FILE={path}: {error.strerror}"
            raise SettingsError(message) from error

    def __call__(self) -> dict[str, object]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class _SsmSource(PydanticBaseSettingsSource):
    """Every parameter below `ssm_prefix`, decrypted: `/mayfly/prod/redis_url` gives `redis_url`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[None, str, bool]:  # noqa: ARG002 - fixed by the base class
        return None, field_name, False

    def __call__(self) -> dict[str, object]:
        given = self.current_state
        prefix = given.get("ssm_prefix")
        if not prefix:
            return {}
        client = boto3.client(
            "ssm",
            region_name=given.get("aws_region", "us-east-1"),
            endpoint_url=given.get("aws_endpoint_url"),
            aws_access_key_id=_plain(given.get("aws_access_key_id")),
            aws_secret_access_key=_plain(given.get("aws_secret_access_key")),
            config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 3}),
        )
        try:
            pages = client.get_paginator("get_parameters_by_path").paginate(
                Path=prefix, Recursive=False, WithDecryption=True
            )
            return {
                item["Name"].rsplit("/", 1)[-1].lower(): item["Value"] for page in pages for item in page["Parameters"]
            }
        except (BotoCoreError, ClientError) as error:
            message = f"{PREFIX}SSM_PREFIX={prefix}: the Parameter Store can't be read ({type(error).__name__})"
            raise SettingsError(message) from error


def _plain(secret: object) -> object:
    """A secret as the environment gives it (text) or as an argument does (SecretStr)."""
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret


AnySettings = TypeVar("AnySettings", bound=SharedSettings)


def load(settings_class: type[AnySettings], **overrides: Any) -> AnySettings:  # noqa: ANN401 - a type per field
    """Read the settings once.

    Raises:
        SettingsError: one line that names each setting that is missing or wrong. No value is quoted:
            it may be a secret.
    """
    try:
        return settings_class(**overrides)
    except ValidationError as error:
        raise SettingsError("; ".join(_one_line(detail) for detail in error.errors())) from None


def _one_line(detail: object) -> str:
    assert isinstance(detail, dict)  # noqa: S101 - pydantic's error details are dicts
    name = "".join(PREFIX + str(part).upper() for part in detail["loc"][:1])
    text = str(detail["msg"]).removeprefix("Value error, ")
    return f"{name}: {text}" if name else text
