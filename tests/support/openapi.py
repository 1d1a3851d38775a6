"""A service's contract, kept in a file so that a change of it is seen in a review."""

import json
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, SettingsConfigDict


class SnapshotSettings(BaseSettings):
    """MAYFLY_UPDATE_SNAPSHOTS=1 writes the file anew."""

    model_config = SettingsConfigDict(env_prefix="MAYFLY_")

    update_snapshots: bool = False


def is_as_kept(openapi: dict[str, Any], snapshot: Path) -> bool:
    """Whether the contract is the one in the file."""
    text = json.dumps(openapi, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    if SnapshotSettings().update_snapshots:
        snapshot.write_text(text, encoding="utf-8")
    return snapshot.read_text(encoding="utf-8") == text


def operations(openapi: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each operation by its name, such as `GET /api/me`."""
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
