"""Tokens that other verifiers were seen to accept or to fall over, each refused for its own reason."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from shared.testing.tokens import TokenFactory, new_signing_key
from shared.tokens.claims import InvalidToken
from shared.tokens.compact import encode_base64url
from shared.tokens.key_source import StaticKeySource
from shared.tokens.keyset import KeySet, public_jwks
from shared.tokens.signature import sign, sign_bytes
from shared.tokens.verifier import Verifier
from tests.unit.tokens.conftest import NothingRevoked

TOKENS = TokenFactory()
VERIFIER = Verifier(StaticKeySource(TOKENS.key_set()), NothingRevoked(), TOKENS.policy)
HEADER = {"typ": "at+jwt", "alg": "RS256", "kid": TOKENS.key.kid}


async def reason(token: str, verifier: Verifier = VERIFIER) -> str:
    with pytest.raises(InvalidToken) as refusal:
        await verifier.verify(token)
    return refusal.value.reason


def token_of(header: str | bytes, payload: str | bytes, signer: Callable[[bytes], bytes] | None = None) -> str:
    """A token of exactly these texts, signed by the right key unless another way is given."""
    parts = [encode_base64url(part if isinstance(part, bytes) else part.encode()) for part in (header, payload)]
    signing_input = b".".join(parts)
    signature = signer(signing_input) if signer else sign_bytes(TOKENS.key, signing_input)
    return (signing_input + b"." + encode_base64url(signature)).decode()


def with_header(**members: object) -> str:
    return token_of(json.dumps({**HEADER, **members}), json.dumps(TOKENS.claims()))


def with_payload(text: str | bytes) -> str:
    return token_of(json.dumps(HEADER), text)


def hs256(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda signing_input: hmac.new(secret, signing_input, hashlib.sha256).digest()


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1])
async def test_the_public_key_is_no_hmac_secret(encoding: Encoding, form: PublicFormat) -> None:
    secret = TOKENS.key.prepared.prepared_key.public_key().public_bytes(encoding, form)
    header = json.dumps({**HEADER, "alg": "HS256"})
    assert await reason(token_of(header, json.dumps(TOKENS.claims()), hs256(secret))) == "unsupported-algorithm"
    assert await reason(token_of(json.dumps(HEADER), json.dumps(TOKENS.claims()), hs256(secret))) == "bad-signature"


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "NONE", ""])
async def test_a_token_without_signature_proves_nothing(algorithm: str) -> None:
    header = json.dumps({**HEADER, "alg": algorithm})
    assert await reason(token_of(header, json.dumps(TOKENS.claims()))) == "unsupported-algorithm"
    unsigned = token_of(header, json.dumps(TOKENS.claims())).rpartition(".")[0]
    assert await reason(unsigned + ".") in {"malformed", "unsupported-algorithm"}


async def test_a_signature_that_was_cut_off_is_malformed() -> None:
    signing_input = TOKENS.mint().rpartition(".")[0]
    assert await reason(signing_input + ".") == "malformed"
    assert await reason(signing_input) == "malformed"


async def test_the_key_decides_the_algorithm() -> None:
    assert await reason(with_header(alg="ES256")) == "unsupported-algorithm"


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "ES384", "ES512", "EdDSA", "HS512"])
async def test_other_algorithms_are_not_spoken(algorithm: str) -> None:
    assert await reason(with_header(alg=algorithm)) == "unsupported-algorithm"


async def test_another_key_of_the_same_name_signs_nothing() -> None:
    impostor = new_signing_key("RS256", TOKENS.key.kid)
    assert await reason(sign({"typ": "at+jwt"}, TOKENS.claims(), impostor)) == "bad-signature"


async def test_a_key_that_is_not_in_the_set_is_unknown() -> None:
    assert await reason(sign({"typ": "at+jwt"}, TOKENS.claims(), new_signing_key("RS256"))) == "unknown-key"


async def test_a_key_on_another_curve_is_not_in_the_set() -> None:
    private = ec.generate_private_key(ec.SECP384R1())
    numbers = private.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-384", "kid": "p384", "alg": "ES256", "use": "sig"}
    jwk |= {
        "x": encode_base64url(numbers.x.to_bytes(48)).decode(),
        "y": encode_base64url(numbers.y.to_bytes(48)).decode(),
    }
    verifier = Verifier(
        StaticKeySource(KeySet.parse({"keys": [jwk, *TOKENS.jwks()["keys"]]})), NothingRevoked(), TOKENS.policy
    )

    def signer(signing_input: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(signing_input, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(48) + s.to_bytes(48)

    header = json.dumps({"typ": "at+jwt", "alg": "ES256", "kid": "p384"})
    assert await reason(token_of(header, json.dumps(TOKENS.claims()), signer), verifier) == "unknown-key"


@pytest.mark.parametrize("form", ["der", "padded", "short", "long", "zero"])
async def test_an_elliptic_signature_has_one_form(form: str, ec_tokens: TokenFactory, ec_verifier: Verifier) -> None:
    private = ec_tokens.key.prepared.prepared_key
    forms: dict[str, Callable[[bytes], bytes]] = {
        "der": lambda signing_input: private.sign(signing_input, ec.ECDSA(hashes.SHA256())),
        "padded": lambda signing_input: b"\0" + sign_bytes(ec_tokens.key, signing_input),
        "short": lambda signing_input: sign_bytes(ec_tokens.key, signing_input)[:-1],
        "long": lambda signing_input: sign_bytes(ec_tokens.key, signing_input) + b"\0",
        "zero": lambda _: bytes(64),
    }
    header = json.dumps({"typ": "at+jwt", "alg": "ES256", "kid": ec_tokens.key.kid})
    token = token_of(header, json.dumps(ec_tokens.claims()), forms[form])
    assert await reason(token, ec_verifier) == "bad-signature"


async def test_the_same_token_in_another_spelling_is_refused() -> None:
    token = TOKENS.mint()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    sibling = alphabet[alphabet.index(token[-1]) ^ 1]
    assert base64.urlsafe_b64decode(f"{token[-2]}{sibling}==") == base64.urlsafe_b64decode(f"{token[-2:]}==")
    assert await reason(token[:-1] + sibling) == "malformed"


@pytest.mark.parametrize(
    "change", ["{}=", "{}==", " {}", "{} ", "{}\n", "\t{}", "{}.", ".{}", "Bearer {}", "{}\0", "{}é", "{}\ud800"]
)
async def test_a_token_with_anything_around_it_is_refused(change: str) -> None:
    assert await reason(change.format(TOKENS.mint())) == "malformed"


async def test_a_token_in_another_base64_is_refused() -> None:
    token = TOKENS.mint(username="???>>>~~~", jti="tok_???>>>")
    assert "_" in token or "-" in token
    assert await reason(token.replace("-", "+").replace("_", "/")) == "malformed"


async def test_a_long_token_is_not_even_looked_at() -> None:
    assert await reason("a" * 4097) == "too-long"
    assert await reason(TOKENS.mint(username="u" * 3000)) == "too-long"


@pytest.mark.parametrize(
    "members",
    [
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"crit": ["exp"], "exp": 4102444800},
        {"b64": False},
        {"jku": "https://evil.test/jwks.json"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"x5u": "https://evil.test/cert.pem"},
        {"x5c": ["AAAA"]},
        {"zip": "DEF"},
        {"kid": "../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"kid": ["a"]},
        {"kid": None},
    ],
    ids=str,
)
async def test_a_header_gets_nothing_that_it_asks_for(members: dict[str, Any]) -> None:
    assert await reason(with_header(**members)) in {"unsupported-header", "unknown-key"}


async def test_an_unencoded_payload_is_refused() -> None:
    header = encode_base64url(json.dumps({**HEADER, "b64": False, "crit": ["b64"]}).encode())
    signing_input = header + b"." + json.dumps(TOKENS.claims()).encode()
    signature = encode_base64url(sign_bytes(TOKENS.key, signing_input))
    assert await reason((signing_input + b"." + signature).decode()) == "malformed"


@pytest.mark.parametrize("kind", ["JWT", "rt+jwt", "id+jwt", "logout+jwt", "", "at+jwt;v=1"])
async def test_another_kind_of_token_is_no_access_token(kind: str) -> None:
    assert await reason(with_header(typ=kind)) == "wrong-type"


async def test_a_header_without_type_is_refused() -> None:
    header = {name: value for name, value in HEADER.items() if name != "typ"}
    assert await reason(token_of(json.dumps(header), json.dumps(TOKENS.claims()))) == "unsupported-header"


async def test_a_header_that_says_two_things_is_refused() -> None:
    text = json.dumps(HEADER)[:-1] + ', "alg": "RS256"}'
    assert await reason(token_of(text, json.dumps(TOKENS.claims()))) == "malformed"


@pytest.mark.parametrize(
    "payload",
    [
        json.dumps(TOKENS.claims())[:-1] + ', "exp": 4102444800}',
        json.dumps(TOKENS.claims())[:-1] + ', "x": {"y": 1, "y": 2}}',
        json.dumps(TOKENS.claims())[:-1] + ', "x": NaN}',
        json.dumps(TOKENS.claims())[:-1] + ', "exp2": Infinity}',
        json.dumps(TOKENS.claims(sub="\ud800")),
        json.dumps(TOKENS.claims()).encode("utf-16"),
        json.dumps(TOKENS.claims()) + "x",
        '{"a":' * 400 + "1" + "}" * 400,
        "[" * 1200 + "]" * 1200,
        "null",
        '"text"',
        b"\xff\xfe",
        b"\0" * 32,
    ],
    ids=lambda payload: str(payload)[-24:],
)
async def test_a_payload_that_two_could_read_differently_is_refused(payload: str | bytes) -> None:
    assert await reason(with_payload(payload)) in {"malformed", "wrong-issuer"}


@pytest.mark.parametrize("expiry", ["4102444800", 4102444800.0, True, None, [4102444800], -1, 1e308])
async def test_an_expiry_is_an_integer(expiry: object) -> None:
    payload = TOKENS.claims()
    payload["exp"] = expiry
    assert await reason(with_payload(json.dumps(payload))) == "invalid-claims"


@pytest.mark.parametrize("expiry", ["1e400", "9" * 2000, "1" + "0" * 30])
async def test_an_expiry_without_end_is_refused(expiry: str) -> None:
    payload = json.dumps(TOKENS.claims(exp=123456)).replace("123456", expiry)
    assert await reason(with_payload(payload)) == "invalid-claims"


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"aud": None}, "wrong-audience"),
        ({"aud": "someone-else"}, "wrong-audience"),
        ({"iss": "https://evil.test"}, "wrong-issuer"),
        ({"sub": None}, "invalid-claims"),
        ({"sub": 7}, "invalid-claims"),
        ({"jti": None}, "invalid-claims"),
        ({"client_id": None}, "invalid-claims"),
        ({"exp": None}, "invalid-claims"),
        ({"iat": None}, "invalid-claims"),
        ({"iat": 4102444800, "exp": 4102444900}, "not-yet-valid"),
        ({"nbf": 4102444800}, "not-yet-valid"),
        ({"iat": 1, "exp": 2}, "expired"),
        ({"scope": ["jobs:read"]}, "invalid-claims"),
    ],
)
async def test_claims_that_prove_nothing_are_refused(overrides: dict[str, Any], expected: str) -> None:
    assert await reason(TOKENS.mint(**overrides)) == expected


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
async def test_any_text_is_refused_and_raises_nothing_else(text: str) -> None:
    assert await reason(text)


@given(
    header=st.binary(max_size=200) | st.just(json.dumps(HEADER).encode()),
    payload=st.binary(max_size=200),
    signature=st.binary(max_size=300) | st.none(),
)
async def test_any_three_segments_are_refused_and_raise_nothing_else(
    header: bytes, payload: bytes, signature: bytes | None
) -> None:
    signer = None if signature is None else lambda _: signature
    assert await reason(token_of(header, payload, signer))


@given(position=st.integers(0, 4000), letter=st.sampled_from("AZaz09-_.=+/ \n\0é"))
async def test_a_token_with_one_letter_changed_is_refused(position: int, letter: str) -> None:
    token = TOKENS.mint(jti="tok_fixed", sid="ses_fixed")
    position %= len(token)
    changed = token[:position] + letter + token[position + 1 :]
    if changed != token:
        assert await reason(changed)


def test_the_set_that_auth_publishes_is_the_set_that_is_read() -> None:
    assert KeySet.parse(public_jwks([TOKENS.key])) == TOKENS.key_set()
