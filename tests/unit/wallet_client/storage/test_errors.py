"""Every error of the wallet is one sentence with a next step, and shows nothing that steers a terminal."""

import inspect
from pathlib import Path

import pytest

from wallet_client import errors
from wallet_client.errors import WalletError

HOSTILE = "\x1b[2J\u202e"
MADE: list[WalletError] = [
    errors.ValueRefused("name", "has 1001 characters"),
    errors.ValueDamaged("the bytes are no value"),
    errors.ImportRefused(HOSTILE, "it is no regular file"),
    errors.WalletMissing(Path(HOSTILE)),
    errors.WalletExists(Path(HOSTILE)),
    errors.WrongPassphrase(),
    errors.PassphraseNeeded(),
    errors.PassphraseUnused(),
    errors.PassphraseRefused("is empty"),
    errors.WalletDamaged("wallet.db is no database"),
    errors.WalletTooNew(2, 1),
    errors.WalletFull(5, 3),
    errors.WalletBusy(5.0),
    errors.StorageFailed("permission denied"),
    errors.TracesRemain(),
    errors.DeviceFull(),
    errors.UnknownValue(HOSTILE),
    errors.UnknownReceipt(HOSTILE),
    errors.UnknownDeletion(HOSTILE),
    errors.UnknownOperation(HOSTILE),
    errors.UnknownDelivery(HOSTILE),
    errors.UnknownSecret(HOSTILE),
    errors.UnknownKey(HOSTILE),
    errors.UnknownCondition(HOSTILE),
    errors.UnknownAlgorithm(HOSTILE),
    errors.KeyAway(HOSTILE),
    errors.PolicyNotKept(HOSTILE),
    errors.AlreadyKept("value", HOSTILE),
    errors.SecondRoot("key", HOSTILE),
    errors.KeyNameRefused(HOSTILE),
    errors.Ambiguous("value", HOSTILE, ("v-1", "v-2")),
]


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_each_error_is_a_sentence_with_a_next_step(error: WalletError) -> None:
    """Escaped where it repeats what others wrote."""
    sentence = str(error)
    assert sentence.endswith(".")
    assert "\x1b" not in sentence + error.hint
    assert "\u202e" not in sentence
    assert error.hint.endswith(".")


def test_no_error_is_left_out() -> None:
    """Whoever adds one adds it here."""
    defined = {one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, WalletError)}
    assert defined - {type(error) for error in MADE} == {WalletError, errors.NotKept}


def test_a_full_wallet_says_both_figures() -> None:
    """As the command line promises."""
    assert str(errors.WalletFull(5, 3)) == "The wallet is full: 5 bytes are needed and 3 are free."
