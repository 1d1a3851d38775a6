import pytest

from services.auth.domain.redirect_uris import UnusableRedirectUri, check_redirect_uri


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/callback",
        "https://app.example",
        "https://app.example:8443/callback?tenant=1&x=%20y",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:49152/",
        "http://[::1]:3000/callback",
        "http://localhost:3000/callback",
    ],
)
def test_it_may_be_registered(uri: str) -> None:
    check_redirect_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/callback",
        "app.example/callback",
        "//app.example/callback",
        "http://app.example/callback",
        "http://127.0.0.1.example/",
        "http://localhost.example/",
        "http://10.0.0.1/",
        "https://app.example/callback#part",
        "https://app.example/callback#",
        "https://user:secret@app.example/",
        "https://user@app.example/",
        "http://127.0.0.1@evil.example/",
        "https://*.example/callback",
        "https:///callback",
        "https:app.example",
        "https://app.example:99999/",
        "https://app.example:x/",
        "https://[::1/",
        "javascript:alert(1)",
        "data:text/html,x",
        "com.example.app:/callback",
        "ftp://app.example/",
        "https://app.example/call back",
        "https://app.example/\n",
        "https://app.example/\\evil",
        "https://app.example/<x>",
        "https://äpp.example/",
        "https://app.example/" + "x" * 2048,
    ],
)
def test_it_may_not(uri: str) -> None:
    with pytest.raises(UnusableRedirectUri):
        check_redirect_uri(uri)
