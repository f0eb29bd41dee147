"""All policies of a wallet: those that every wallet has, and those it was given in files.

What was read from a file is kept as its text, so that k and n that it leaves out follow the roster.
"""

from trust.roster import Roster
from wallet_client.policies.errors import PolicyFileInvalid, PolicyUnfit, UnknownPolicy
from wallet_client.policies.policy import Policy
from wallet_client.policies.policy_file import read_policy
from wallet_client.policies.presets import policy_named, policy_names, policy_summaries
from wallet_client.storage.store import WalletStore


def all_summaries(store: WalletStore, roster: Roster) -> dict[str, str]:
    """What each policy gives, by name: the default, the others that are built in, those from files."""
    return policy_summaries(roster) | {one.name: one.summary for one in store.policies.entries()}


def find_policy(store: WalletStore, name: str, roster: Roster) -> Policy:
    """The policy of that name for this roster.

    Raises:
        UnknownPolicy: There is none; names those there are.
        PolicyUnfit: It came from a file, and the roster cannot carry it any more.
    """
    if name in policy_names():
        return policy_named(name, roster)
    if not store.policies.has(name):
        raise UnknownPolicy(name, tuple(all_summaries(store, roster)))
    try:
        return read_policy(store.policies.text(name), name, roster)
    except PolicyFileInvalid as error:
        raise PolicyUnfit(name, f"line {error.line} of its file: {error.problem}") from None
