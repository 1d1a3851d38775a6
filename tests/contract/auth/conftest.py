"""The fixtures of auth's service tests serve here as well."""

from tests.service.auth.conftest import bootstrap_settings, make_settings, shared_settings, signing_key

__all__ = ["bootstrap_settings", "make_settings", "shared_settings", "signing_key"]
