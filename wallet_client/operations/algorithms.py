"""Take in a key algorithm that an issuer signed, and the root that comes with it [E7, C13]."""

from dataclasses import dataclass

from trust.algorithm_file import IssuedAlgorithm
from trust.key_algorithm import BUILT_IN, KeyAlgorithm
from wallet_client.operations.backup import find_root
from wallet_client.operations.errors import AlgorithmChanged
from wallet_client.operations.keys import check_new
from wallet_client.operations.settle import changing
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.wallet_keys import key_entry, new_key
from wallet_client.storage.errors import SecondRoot
from wallet_client.storage.keyring import KeyEntry
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What an import came to.

    Args:
        algorithm: The description.
        already: It was known.
        root: The root that the wallet got from it; None where it came without one, or the wallet had it.
    """

    algorithm: KeyAlgorithm
    already: bool
    root: KeyEntry | None


async def import_algorithm(wallet: Wallet, issued: IssuedAlgorithm, root_name: str) -> TakenIn:
    """Keep what an issuer signed: all of it, or nothing.

    Args:
        wallet: Whose.
        issued: Its signature has been checked.
        root_name: What a seed is called that comes with it.

    Raises:
        AlgorithmChanged: Another description is known under this name and version.
        SecondRoot: It brings a seed, and the wallet has another root.
        KeyNameRefused, AlreadyKept: The root cannot be called that.
        WalletBusy: Another process is changing the wallet.
    """

    def keep() -> TakenIn:
        keyring, algorithm = wallet.store.keyring, issued.algorithm
        with wallet.store.transaction():
            known = next(
                (one for one in (BUILT_IN, *keyring.algorithms()) if one.label == algorithm.label), None
            )
            if known is None:
                keyring.add_algorithm(algorithm)
            elif known != algorithm:
                raise AlgorithmChanged(algorithm.label)
            return TakenIn(algorithm, known is not None, _root_from(wallet, issued.seed, root_name))

    async with changing(wallet), wallet.making_keys:
        return await to_the_end(keep)


def _root_from(wallet: Wallet, seed: bytes, name: str) -> KeyEntry | None:
    root = find_root(wallet)
    if not seed:
        return None
    if root is None:
        check_new(wallet, "root", name)
        return new_key(wallet, "root", name, seed)
    if root.key_id != key_entry("root", name, seed, "", 0).key_id:
        raise SecondRoot("key", root.name)
    return None
