"""Which passwords may be chosen: long ones, of any characters, and none that anybody would try first."""

import pytest

from services.auth.domain.password_policy import flaws


@pytest.mark.parametrize(
    ("password", "is_long_enough"),
    [
        ("lamp-xk", False),
        ("lamp-xk7", True),
        ("ラムプと山の川を", True),
        ("\N{GRINNING FACE}" * 3 + "lampe", True),
        ("lamp on the hill " * 7 + "123456789", True),
        ("lamp on the hill " * 7 + "1234567890", False),
        ("ﷺ" * 8, False),  # one letter, which is eighteen in its normal form
    ],
)
def test_length_is_counted_in_characters(password: str, is_long_enough: bool) -> None:
    assert (not any("8 to 128 characters" in flaw for flaw in flaws(password, "ada"))) is is_long_enough


@pytest.mark.parametrize(
    "password",
    [
        "aquietlampelsewhere",
        "AQUIETLAMPELSEWHERE",
        "81930574628193057",
        "\\'\";--<>%_?*{}[]()|&",
        "a b c lamp d",
        "mots accentués éàü",
        "שלום עולם ירוק",
        "\N{GRINNING FACE}\N{ROCKET}\N{BUTTERFLY}\N{CACTUS}\N{ANCHOR}\N{BICYCLE}\N{CAT}\N{DOG}",
    ],
)
def test_any_characters_will_do(password: str) -> None:
    assert flaws(password, "ada") == []


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Password1!",
        "P@ssw0rd2026",
        "123456789",
        "987654321",
        "qwertyuiop",
        "poiuytrewq",
        "aaaaaaaa",
        "abababab",
        "lololololo",
        "letmein!!",
        "iloveyou",
        "!!summer2026",
        "m0nkey1234",
        "trustno1",
        "welcome1",
        "mayfly2026",
    ],
)
def test_what_anybody_would_try_is_refused(password: str) -> None:
    [flaw] = flaws(password, "ada")
    assert "anybody would try" in flaw


@pytest.mark.parametrize("password", ["margarethe", "margarethe1!", "2026margarethe", "ehtegram123", "MARGARETHE99"])
def test_the_username_is_no_password(password: str) -> None:
    name = "margethe" if password.startswith("ehteg") else "margarethe"
    assert any("username" in flaw for flaw in flaws(password, name))


def test_a_name_within_a_longer_password_does_no_harm() -> None:
    assert flaws("margarethe walks up the hill", "margarethe") == []
