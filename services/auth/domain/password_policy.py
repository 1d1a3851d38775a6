"""Which passwords may be chosen. Length counts; rules about letters and digits do not (NIST SP 800-63B §3.1.1.2)."""

import re

from services.auth.domain.users import normalize_password

SHORTEST, LONGEST = 8, 128
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "012345678901234567890", "qwertyuiop", "asdfghjkl", "1qaz2wsx3edc4rfv")
_FEWEST_LETTERS = 3
_LONGEST_PERIOD = 4
_AROUND = re.compile(r"\A[\d\W_]+|[\d\W_]+\Z")
_SIGNS_FOR_LETTERS = str.maketrans("@$!05734", "asiostea")
# What lists of leaked passwords begin with, once digits and signs around it are left out and signs are letters again.
_COMMON = """
abc abcd access account admin administrator amanda andrea angel asdf ashley baby babygirl bailey baseball basketball
batman butterfly changeme charlie cheese chelsea chocolate computer cookie dallas daniel default diamond donald dragon
family flower football freedom friend friends george guest hannah harley hello hockey hottie hunter iloveu iloveyou
internet jasmine jennifer jessica jesus jordan joshua killer letmein liverpool lovely loveme lovers login master
matrix matthew maverick mayfly merlin michael michelle monkey mustang mynoob nicole ninja pass passw passwd passwor
password passwords passport pepper pokemon princess purple qazwsx qwer qwert qwerty qwertz ranger robert samantha
samsung secret secure shadow soccer solo spiderman starwars summer sunshine superman system taylor temp test tester
testing thomas thunder tigger trustno user welcome whatever william winter winner yankees zaq zaqwsx zxcvbn
"""
_COMMON_WORDS = frozenset(_COMMON.split())


def flaws(raw_password: str, username: str) -> list[str]:
    """Why this may not be the password of this (folded) username; nothing: it may."""
    password = normalize_password(raw_password)
    if not SHORTEST <= len(password) <= LONGEST:
        return [f"must have {SHORTEST} to {LONGEST} characters in its normal form (NFKC)"]
    found = []
    if _is_common(password.casefold()):
        found.append("is among the first that anybody would try; take several words, or something long")
    if _tells_name(password.casefold(), username):
        found.append("must not be made of the username")
    return found


def _is_common(password: str) -> bool:
    """A common word with digits or signs around it, a row of keys, or the same few letters again and again."""
    word = _AROUND.sub("", password)
    rows = [row for row in _ROWS if password in row or password[::-1] in row]
    period = (password + password).find(password, 1)
    return bool(rows) or period <= _LONGEST_PERIOD or word.translate(_SIGNS_FOR_LETTERS) in _COMMON_WORDS


def _tells_name(password: str, username: str) -> bool:
    rest = password.replace(username, "").replace(username[::-1], "")
    return len(username) >= _FEWEST_LETTERS and rest != password and len(_AROUND.sub("", rest)) < _FEWEST_LETTERS
