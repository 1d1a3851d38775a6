"""The fixtures of auth's service tests serve here as well."""

from tests.service.auth.conftest import ground, lasting_ground, make_settings, shared_settings, signing_key

__all__ = ["ground", "lasting_ground", "make_settings", "shared_settings", "signing_key"]
