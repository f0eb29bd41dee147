"""An access policy in plain words: who could open what, and how many PINs somebody can try."""

from dataclasses import dataclass

from trust.access_policy import Factor
from wallet_client.owners.access import FACTORS, Access, expression_of, told
from wallet_client.owners.dealing import true_total_of_guesses
from wallet_client.triggers.units import duration_text
from wallet_client.values.shown import shown


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a policy holds.

    Args:
        n: Safes of the record.
        k: Parts that open it.
        guesses: Wrong PINs until one safe locks a way.
    """

    n: int
    k: int
    guesses: int

    @property
    def totals(self) -> list[int]:
        """How many PINs can be tried in all, with 0, 1, ... k - 1 lying safes."""
        return [true_total_of_guesses(self.n, self.k, self.guesses, lying) for lying in range(self.k)]


def explain_access(access: Access, ground: Ground) -> list[str]:
    """Sentences, one a line."""
    lines = [f"Opens by {expression_of(access.ways)}; {ground.k} of {ground.n} safes are enough."]
    lines += [f"  {' and '.join(_who(factor, access) for factor in told(way))}" for way in access.ways]
    if any("pin" in way for way in access.ways):
        lines.append(f"Who has all but the PIN of a way can try {tries(ground)} there; then it is locked.")
    lines.append(f"Any {ground.k} safes together {_coalition(access)}.")
    if ("authority",) in access.ways:
        lines.append("The authority itself can open it, and who has your account there.")
    lines += [_without(factor, access) for factor in _needed_by_all(access)]
    if access.waiting_seconds:
        lines.append(
            f"Who is in none of your wallets waits {duration_text(access.waiting_seconds)}; a veto ends that."
        )
    return lines


def tries(ground: Ground) -> str:
    """Such as "16 PINs in all, 20 if 1 safe lies, 30 if 2 safes lie"."""
    first, *others = ground.totals
    lying = [f"{total} if {c} safe{'s lie' if c > 1 else ' lies'}" for c, total in enumerate(others, 1)]
    return ", ".join([f"{first} PINs in all", *lying])


def _who(factor: Factor, access: Access) -> str:
    if factor == "pin":
        return "the PIN"
    if factor == "authority":
        return "the authority's word"
    labels = [shown(device.label) for device in access.devices]
    return f"the device {labels[0]}" if len(labels) == 1 else f"one of the devices {', '.join(labels)}"


def _needed_by_all(access: Access) -> list[Factor]:
    """What a single loss takes away; a PIN can be written down, and several devices stand for one another."""
    shared = [one for one in FACTORS if one != "pin" and all(one in way for way in access.ways)]
    return [one for one in shared if one != "device" or len(access.devices) == 1]


def _without(factor: Factor, access: Access) -> str:
    """What a loss means, and what helps against it."""
    if factor == "authority":
        return "Without the authority nothing opens it, ever: think of a way that does without."
    label = shown(access.devices[0].label)
    return f"Lose the device {label}, and nothing opens it, ever: have a second one, or another way in."


def _coalition(access: Access) -> str:
    """What k safes can do that put their data together: they are bound by nothing but arithmetic."""
    if ("authority",) in access.ways:
        return "can open everything, without you"
    if any("device" not in way for way in access.ways):
        return "still have to guess the PIN, with 64 MiB of memory for each try"
    return "have nothing to guess: the device's secret is 32 random bytes"
