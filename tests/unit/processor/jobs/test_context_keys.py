"""Which keys a processor and a worker have of the settings, and what is said of those that are none."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from services.processor.context_keys import load_context_issuer, load_context_trust
from services.processor.main import create_app
from services.processor.settings import ProcessorSettings
from services.processor.worker.app import create_app as create_worker
from shared.settings import SettingsError, load
from shared.tokens.pem_keys import build_named_key, generate_pem

OLD, NEW, RSA = generate_pem("ES256"), generate_pem("ES256"), generate_pem("RS256")


def kid(pem: str) -> str:
    return build_named_key(pem, "ES256").kid


def public(pem: str) -> str:
    key = load_pem_private_key(pem.encode(), None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_a_processor_signs_by_its_key_and_a_worker_believes_the_others_too() -> None:
    settings = load(ProcessorSettings, context_key=NEW, context_other_keys=public(OLD) + public(NEW))
    assert load_context_issuer(settings).key.kid == kid(NEW)
    assert load_context_trust(settings).keys.kids() == sorted([kid(OLD), kid(NEW)])


def test_a_worker_needs_the_public_part_alone() -> None:
    settings = load(ProcessorSettings, context_other_keys=public(NEW))
    assert load_context_trust(settings).keys.kids() == [kid(NEW)]
    create_worker(settings)
    with pytest.raises(SettingsError, match="MAYFLY_CONTEXT_KEY_FILE"):
        create_app(settings)


def test_without_any_key_neither_starts() -> None:
    for create in (create_app, create_worker):
        with pytest.raises(SettingsError, match="no key for the contexts of jobs"):
            create(load(ProcessorSettings))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"context_key": "s3cr3t"}, "MAYFLY_CONTEXT_KEY does not sign ES256"),
        ({"context_key": RSA}, "MAYFLY_CONTEXT_KEY does not sign ES256"),
        ({"context_key": OLD, "context_other_keys": "s3cr3t"}, "MAYFLY_CONTEXT_OTHER_KEYS holds something"),
        ({"context_key": OLD, "context_other_keys": RSA}, "MAYFLY_CONTEXT_OTHER_KEYS holds a key that is not on P-256"),
        (
            {"context_other_keys": "".join(public(generate_pem("ES256")) for _ in range(33))},
            "MAYFLY_CONTEXT_OTHER_KEYS can't be used",
        ),
    ],
)
def test_what_is_no_key_for_this_is_told_and_not_quoted(given: dict[str, str], told: str) -> None:
    settings = load(ProcessorSettings, **given)
    with pytest.raises(SettingsError, match=told) as refused:
        load_context_trust(settings)
    assert "s3cr3t" not in str(refused.value)
    assert OLD not in repr(settings)
    assert "PRIVATE" not in repr(settings)
