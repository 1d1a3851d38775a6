"""Everything about auth that can be chosen. docs/reference/settings.md is generated from here."""

import os
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from services.auth.domain.lockout import USUAL_LIMITS
from shared.settings import SharedSettings
from shared.tokens.claims import MAX_LIFETIME_SECONDS

_LOCAL_DOCS = ("http://127.0.0.1:8002", "http://localhost:8002")


class BootstrapSettings(SharedSettings):
    """What is needed to lay the ground for auth: no signing key yet, for the bootstrap makes it."""

    port: int = Field(8001, ge=1, le=65535, description="The port to listen on.")
    docs_origins: str | None = Field(
        None,
        description="Comma-separated origins (`https://jobs.example.com`) at which a docs page may log in here: "
        "bootstrap registers them for the public client `mayfly-docs`, and CORS answers them. Local mode: "
        "the processor's usual ones; else none.",
    )
    signing_algorithm: Literal["RS256", "ES256"] = Field(
        "RS256",
        description="How access tokens are signed. RS256 verifies faster and API gateways know it; ES256 signs faster.",
    )
    signing_keys_path: str | None = Field(
        None,
        pattern=r"^(/[A-Za-z0-9_.-]+){1,12}$",
        description="The SSM path below which auth keeps the private keys that it makes and rotates by itself, such as "
        "`/mayfly/prod/signing-keys`. Instead of `signing_key`. (Local mode: there is one, unless there is a key.)",
    )
    clients: SecretStr | None = Field(
        None,
        description="Clients that the bootstrap registers, as a JSON list of the bodies of `POST /api/clients`, each "
        "with its own `client_id` (`a-z`, `0-9`, `-`) and its `secrets` (of 32 letters or more).",
    )
    first_admin_username: str | None = Field(
        None,
        max_length=128,
        description="Where nobody administers yet, the bootstrap makes this administrator.",
    )
    first_admin_password: SecretStr | None = Field(
        None, description="The password of that user; change it after the first login."
    )
    password_memory_kib: int = Field(19_456, ge=8192, le=1_048_576, description="Argon2id: memory for one password.")
    password_iterations: int = Field(2, ge=1, le=100, description="Argon2id: passes over that memory.")

    @property
    def effective_docs_origins(self) -> tuple[str, ...]:
        if self.docs_origins is None:
            return _LOCAL_DOCS if self.mode == "local" else ()
        return _listed(self.docs_origins)

    @model_validator(mode="after")
    def _keys_do_not_lie_among_the_settings(self) -> "BootstrapSettings":
        if self.ssm_prefix is not None and self.signing_keys_path == self.ssm_prefix.rstrip("/"):
            message = "MAYFLY_SIGNING_KEYS_PATH is MAYFLY_SSM_PREFIX: whoever reads settings there would read the keys"
            raise ValueError(message)
        return self

    @property
    def effective_signing_keys_path(self) -> str | None:
        """Where the keys lie that auth makes itself; None: there are none, outside local mode."""
        if self.signing_keys_path is not None or self.mode != "local":
            return self.signing_keys_path
        return f"/mayfly/{self.table_prefix}local/signing-keys"


class AuthSettings(BootstrapSettings):
    """What a running auth needs to know."""

    signing_key: SecretStr | None = Field(
        None,
        description="The private key that signs, as PEM: usually MAYFLY_SIGNING_KEY_FILE, or SSM. It is yours to "
        "rotate. Without it auth makes and rotates keys itself: see `signing_keys_path`.",
    )
    other_keys: SecretStr | None = Field(
        None,
        description="Further keys (PEM, public or private, one after the other) that are published but do not sign: "
        "the next one before its first use, the last one until its tokens have expired.",
    )
    access_ttl_seconds: int = Field(900, ge=30, le=MAX_LIFETIME_SECONDS, description="How long an access token lives.")
    token_expiry_hours: float | None = Field(
        None,
        ge=0.01,
        le=MAX_LIFETIME_SECONDS / 3600,
        description="The same in hours, if that is easier to say; it goes over `access_ttl_seconds`.",
    )
    session_ttl_seconds: int = Field(
        2_592_000,
        ge=60,
        le=31_536_000,
        description="How long after its login a session can be refreshed; then the user logs in again.",
    )
    refresh_grace_seconds: int = Field(
        10, ge=0, le=60, description="How long a refresh token that was just used still answers the same successor."
    )
    cors_origins: str = Field(
        "",
        description="Comma-separated origins of further browser apps that may read the token endpoint, the keys and "
        "the metadata (CORS); none by default.",
    )
    browser_session_ttl_seconds: int = Field(
        28_800,
        ge=60,
        le=2_592_000,
        description="How long a login at auth's own pages lasts: in that time the browser is only asked for consent.",
    )
    jwks_max_age_seconds: int = Field(
        300,
        ge=0,
        le=3600,
        description="How long the key set may be cached. A new key is published twice as long before it signs.",
    )
    status_list_ttl_seconds: int = Field(
        30,
        ge=5,
        le=3600,
        description="How long others may keep a status list before they fetch it again (its `ttl`). With it grows "
        "`status_list_max_staleness` in the metadata document.",
    )
    key_rotation_seconds: int = Field(
        2_592_000,
        ge=0,
        le=157_680_000,
        description="How long a key signs before the next one does, where auth makes the keys; 0: until someone "
        "rotates them by hand.",
    )
    key_poll_seconds: float = Field(
        2.0,
        ge=0.1,
        le=10,
        description="How often each auth looks at the key ring. It signs by a view that is at most 30 times as old.",
    )
    client_attempts_free_per_pair: int = Field(
        10, ge=1, description="Wrong secrets of one client from one address before delays begin; for each instance."
    )
    client_attempts_free_per_address: int = Field(
        50, ge=1, description="Wrong secrets and unknown clients from one address before delays begin."
    )
    device_starts_per_second: int = Field(
        10,
        ge=1,
        le=1_000_000,
        description="How often devices at one address may ask for a code, for each instance; more is answered 429.",
    )
    introspections_per_second: int = Field(
        500,
        ge=1,
        le=1_000_000,
        description="How often one client may introspect, for each instance; more is answered 429.",
    )
    password_threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="How many passwords are checked at once; the number of cores by default.",
    )
    password_queue: int = Field(
        32, ge=0, le=10_000, description="How many more may wait for that; the next one is answered 429."
    )
    attempts_free_per_pair: int = Field(
        USUAL_LIMITS.free_per_pair,
        ge=1,
        description="Wrong passwords for one user from one address before delays begin.",
    )
    attempts_free_per_user: int = Field(
        USUAL_LIMITS.free_per_user, ge=1, description="Wrong passwords for one user from anywhere before delays begin."
    )
    attempts_free_per_address: int = Field(
        USUAL_LIMITS.free_per_address,
        ge=1,
        description="Wrong passwords from one address for anyone before delays begin.",
    )
    attempts_longest_delay_seconds: int = Field(
        USUAL_LIMITS.longest_delay_seconds,
        ge=1,
        le=3600,
        description="Delays double with each wrong password, up to this.",
    )

    audit_keep_days: int = Field(
        90, ge=1, le=3650, description="How long DynamoDB keeps the audit trail. The log has each event too."
    )

    @property
    def allowed_origins(self) -> frozenset[str]:
        return frozenset(self.effective_docs_origins + _listed(self.cors_origins))

    @property
    def browser_cookie_is_secure(self) -> bool:
        """Only on one's own machine do pages come by plain HTTP."""
        return not (self.mode == "local" and self.issuer.startswith("http:"))

    @property
    def browser_cookie_name(self) -> str:
        """`__Host-`: browsers take it over TLS alone, and no neighbouring host can set it (RFC 6265bis §4.1.3.2)."""
        return "__Host-mayfly" if self.browser_cookie_is_secure else "mayfly"

    @property
    def effective_access_ttl_seconds(self) -> int:
        if self.token_expiry_hours is None:
            return self.access_ttl_seconds
        return max(1, round(self.token_expiry_hours * 3600))

    @model_validator(mode="before")
    @classmethod
    def _keys_come_from_somewhere(cls, raw_settings: dict[str, object]) -> dict[str, object]:
        message, sources = "", [name for name in ("signing_key", "signing_keys_path") if raw_settings.get(name)]
        if len(sources) > 1:
            message = "MAYFLY_SIGNING_KEY and MAYFLY_SIGNING_KEYS_PATH are two sources of keys: take one away"
        if not sources and raw_settings.get("mode", "local") != "local":
            message = (
                "there is no signing key: set MAYFLY_SIGNING_KEYS_PATH, and auth makes and rotates its keys; or "
                "MAYFLY_SIGNING_KEY_FILE, or MAYFLY_SIGNING_KEY, or the parameter `signing_key` below MAYFLY_SSM_PREFIX"
            )
        if message:
            # pydantic asks no further, so this names what else is missing: one start tells all.
            is_local = raw_settings.get("mode", "local") == "local"
            others = "" if is_local else cls.missing_in_production(raw_settings)
            raise ValueError("; ".join(filter(None, (others, message))))
        return raw_settings


def _listed(origins: str) -> tuple[str, ...]:
    return tuple(origin.strip().rstrip("/") for origin in origins.split(",") if origin.strip())
