"""Every error of the wallet is one sentence with a next step, and shows nothing that steers a terminal."""

import inspect
from pathlib import Path

import pytest

from wallet_client import errors
from wallet_client.errors import WalletError
from wallet_client.receipts import errors as receipts_errors
from wallet_client.storage import errors as storage_errors
from wallet_client.values import errors as values_errors

MODULES = (errors, values_errors, storage_errors, receipts_errors)
HOSTILE = "\x1b[2J\u202e"
MADE: list[WalletError] = [
    values_errors.ValueRefused("name", "has 1001 characters"),
    values_errors.ValueDamaged("the bytes are no value"),
    values_errors.ImportRefused(HOSTILE, "it is no regular file"),
    storage_errors.WalletMissing(Path(HOSTILE)),
    storage_errors.WalletExists(Path(HOSTILE)),
    storage_errors.WrongPassphrase(),
    storage_errors.PassphraseNeeded(),
    storage_errors.PassphraseUnused(),
    storage_errors.PassphraseRefused("is empty"),
    storage_errors.WalletDamaged("wallet.db is no database"),
    storage_errors.WalletTooNew(2, 1),
    storage_errors.WalletFull(5, 3),
    storage_errors.WalletBusy(5.0),
    storage_errors.StorageFailed("permission denied"),
    storage_errors.TracesRemain(),
    storage_errors.DeviceFull(),
    values_errors.UnknownValue(HOSTILE),
    receipts_errors.UnknownReceipt(HOSTILE),
    receipts_errors.UnknownDeletion(HOSTILE),
    storage_errors.UnknownOperation(HOSTILE),
    storage_errors.UnknownDelivery(HOSTILE),
    storage_errors.UnknownSecret(HOSTILE),
    storage_errors.UnknownKey(HOSTILE),
    storage_errors.UnknownCondition(HOSTILE),
    storage_errors.UnknownAlgorithm(HOSTILE),
    storage_errors.KeyAway(HOSTILE),
    storage_errors.PolicyNotKept(HOSTILE),
    errors.AlreadyKept("value", HOSTILE),
    storage_errors.SecondRoot("key", HOSTILE),
    storage_errors.KeyNameRefused(HOSTILE),
    errors.Ambiguous("value", HOSTILE, ("v-1", "v-2")),
    errors.UnknownGateway(HOSTILE, "safe-1, safe-2"),
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
    defined = {
        one
        for module in MODULES
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, WalletError)
    }
    assert defined - {type(error) for error in MADE} == {WalletError, errors.NotKept}


def test_a_full_wallet_says_both_figures() -> None:
    """As the command line promises."""
    assert str(storage_errors.WalletFull(5, 3)) == "The wallet is full: 5 bytes are needed and 3 are free."
