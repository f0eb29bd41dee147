"""Which pieces peers can give back, for every preset and the odd policies: told by the manifest alone."""

import pytest

from support.batches import batch_of, plaintext
from support.odd_policies import ODD
from trust.manifest import Manifest
from trust.repairable import is_beyond_repair
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import policy_names

NEVER = {
    "plain": "one safe has all of it",
    "sealed": "one safe has all of it",
    "sealed-pair": "one safe has all of it",
    "divided": "every share is sealed by itself",
    "divide-then-seal": "every share is sealed by itself",
    "divide-compactly-then-seal": "every share is sealed by itself",
    "couple-then-divide-then-seal": "every share is sealed by itself",
    "n-of-n": "no share may be lost",
    "some-pieces-in-the-wallet": "too few are at safes",
    "only-some-deposited": "too few are at safes",
    "some-key-shares-in-the-wallet": "too few are at safes",
    "whole-value-divided-key": "one safe has the whole value",
    "several-at-one-safe": "three safes keep something, and each helps with one share",
    "key-and-value-at-one-safe": "one safe has all of it",
    "key-in-three-parts": "no share may be lost",
}


ALL = [*policy_names(), *(one for one in ODD if one.key.mode != "kept-and-shared")]


@pytest.mark.parametrize("policy", ALL, ids=lambda one: getattr(one, "name", one))
def test_what_can_be_repaired_is_what_k_other_safes_keep_a_share_of(policy: Policy | str) -> None:
    """Of the presets all but `plain`, `sealed`, `sealed-pair` and `divided`, at every safe."""
    name = policy if isinstance(policy, str) else policy.name
    manifest = _manifest(policy)
    beyond = [is_beyond_repair(manifest, place) for place in manifest.placement]
    assert any(beyond) == (name in NEVER)


def _manifest(policy: Policy | str) -> Manifest:
    return batch_of([plaintext(9)], policy).manifest
