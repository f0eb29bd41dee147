"""What a receipt's digest shows to people."""

from support.sample_documents import ALL_SHOWN, FIELDS
from trust.digest import DigestFields
from wallet_client.cli.rows import digest_text


def test_the_default_fields_explain_themselves() -> None:
    """Only the end of a validity has a word before it."""
    assert digest_text(FIELDS) == "ticket, Kabuki-za, 昼の部, 1, 2026-11-23, until 2026-12-31, Tōkyō"


def test_whatever_a_digest_shows_is_seen() -> None:
    """One amount can be told from another, and a time is no number."""
    assert digest_text(ALL_SHOWN) == (
        "ticket, Kabuki-za, 昼の部, 2, 2026-11-23, until 2026-12-31, Tōkyō, unit price 1600.50,"
        " total 3201.00, remaining 0, JPY, text/plain, ticket.txt, held since 2026-09-21 14:13:20 UTC"
    )


def test_nothing_is_said_of_what_is_not_shown() -> None:
    """A zero is shown, for it is text."""
    assert digest_text(DigestFields()) == ""
    assert digest_text(DigestFields(remaining_amount="0")) == "remaining 0"


def test_what_a_digest_says_is_escaped() -> None:
    """A name may hold anything."""
    assert "\x1b" not in digest_text(DigestFields(name="\x1b[2J"))
