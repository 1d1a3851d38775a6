"""The fixtures of the processor's service tests serve here as well."""

from tests.service.processor.conftest import jwks_url, make_settings, tokens

__all__ = ["jwks_url", "make_settings", "tokens"]
