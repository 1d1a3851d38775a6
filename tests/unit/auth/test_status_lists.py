"""The places of tokens in status lists, and what is compressed into them."""

import base64
import zlib

import pytest

from services.auth.domain.status_lists import (
    LANES,
    SLOTS_IN_LIST,
    SLOTS_IN_SECOND,
    WINDOW_SECONDS,
    Freshness,
    Slot,
    StatusList,
    compressed,
)

LISTED = StatusList("web", "key", None, window=3_500_000)
START = LISTED.starts_at


def _revoked(lst: str) -> set[int]:
    bits = zlib.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)))
    assert len(bits) * 8 == SLOTS_IN_LIST
    return {8 * place + bit for place, byte in enumerate(bits) for bit in range(8) if byte >> bit & 1}


def test_no_two_slots_are_the_same() -> None:
    slots = {
        Slot.of(LISTED.list_id, lane, START + second, number).index
        for lane in range(LANES)
        for second in range(WINDOW_SECONDS)
        for number in range(SLOTS_IN_SECOND)
    }
    assert slots == set(range(SLOTS_IN_LIST))


@pytest.mark.parametrize("second", [0, 1, 511])
def test_a_tokens_id_tells_its_place_and_its_second(second: int) -> None:
    slot = Slot.of(LISTED.list_id, 15, START + second, 63)
    assert Slot.of_token(slot.token_id) == slot
    assert slot.issued_at == START + second


@pytest.mark.parametrize(
    "token_id",
    [
        "tok_mfrggzdfmztwq2lknnwg23tpob",
        f"tok_{LISTED.list_id}.{SLOTS_IN_LIST}",
        f"tok_{LISTED.list_id}.-1",
        f"tok_{LISTED.list_id}.1\n",
        f"tok_{LISTED.list_id}",
        "",
    ],
)
def test_another_id_stands_in_no_list(token_id: str) -> None:
    assert Slot.of_token(token_id) is None


def test_what_is_revoked_up_to_a_second_is_what_was_issued_up_to_it_in_every_lane() -> None:
    revoked = _revoked(compressed(LISTED, revoked_up_to=START + 1, revoked=()))
    assert len(revoked) == LANES * 2 * SLOTS_IN_SECOND
    assert {Slot(LISTED.list_id, index).issued_at for index in revoked} == {START, START + 1}


@pytest.mark.parametrize(("up_to", "share"), [(-1, 0), (START - 1, 0), (START + 511, 1), (START + 100_000, 1)])
def test_a_list_is_revoked_not_at_all_or_altogether(up_to: int, share: int) -> None:
    assert len(_revoked(compressed(LISTED, revoked_up_to=up_to, revoked=()))) == share * SLOTS_IN_LIST


def test_single_tokens_are_revoked_beside_those_of_a_stretch() -> None:
    revoked = _revoked(compressed(LISTED, revoked_up_to=-1, revoked=[0, 9, SLOTS_IN_LIST - 1]))
    assert revoked == {0, 9, SLOTS_IN_LIST - 1}


def test_lists_of_another_client_key_subject_window_or_series_have_other_names() -> None:
    others = [
        StatusList("app", "key", None, 3_500_000),
        StatusList("web", "yek", None, 3_500_000),
        StatusList("web", "key", "web", 3_500_000),
        StatusList("web", "key", None, 3_500_001),
        LISTED.following(),
    ]
    assert len({each.list_id for each in (LISTED, *others)}) == 6


def test_the_lists_of_a_million_tokens_with_one_in_a_thousand_revoked_have_some_kilobytes() -> None:
    """One list holds half a million: a full one, and its share of revoked tokens, spread evenly."""
    revoked = range(0, SLOTS_IN_LIST, 1009)
    assert len(compressed(LISTED, revoked_up_to=-1, revoked=revoked)) < 3000
    assert len(compressed(LISTED, revoked_up_to=-1, revoked=())) < 150


def test_a_list_is_good_until_every_cache_has_let_it_go() -> None:
    freshness = Freshness(ttl_seconds=30, feed_seconds=2)
    assert freshness.max_staleness_seconds == 2 + 5 + 10 + 30
    assert freshness.expiry_seconds > freshness.ttl_seconds * 2 + freshness.max_age_seconds
