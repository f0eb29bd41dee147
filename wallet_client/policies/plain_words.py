"""An explanation in sentences, for people who decide whether to trust a policy with something."""

from collections.abc import Iterator, Sequence
from typing import Final

from wallet_client.policies.explain import Explanation
from wallet_client.policies.policy import Policy
from wallet_client.values.sizes import write_size

_DIGESTS: Final = {
    "sealed": "The certificates' digest is sealed: only this wallet reads the value's class and name.",
    "vacant": "The certificates' digest is vacant: nobody reads the value's class or name in it.",
}
_BOOKS: Final = (
    "Each safe sees which wallet key registered how much, when, under which policy's name, at which safes."
)


def sentences(explanation: Explanation) -> list[str]:
    """Who reads what, what may be lost, what is stored."""
    return [
        _digest(explanation.policy),
        _BOOKS,
        _alone(explanation),
        *_together(explanation),
        *_parts(explanation),
        *_with_wallet(explanation),
        *_root(explanation),
        _lost_safes(explanation),
        _lost_wallet(explanation),
        *_after(explanation),
        _bytes(explanation),
    ]


def _digest(policy: Policy) -> str:
    if policy.digest != "public":
        return _DIGESTS[policy.digest]
    if not policy.shown:
        return "The certificates' digest is public, and shows no field of the value."
    shown = _and([field.replace("-", " ") for field in policy.shown])
    return f"The certificates' digest is public: every safe that keeps a piece reads the value's {shown}."


def _alone(one: Explanation) -> str:
    if not one.read_alone:
        return "No safe reads the value alone."
    return f"{_and(one.read_alone)} {'reads' if len(one.read_alone) == 1 else 'each read'} the value alone."


def _together(one: Explanation) -> Iterator[str]:
    if one.readers is None:
        why = "shares that are needed are in this wallet only"
        if one.policy.key.mode == "kept":
            why = "the key is in this wallet only, unless it is backed up itself"
        yield f"Nor do all safes together: {why}."
    elif len(one.readers) > 1:
        such = _and(one.readers)
        yield f"{len(one.readers)} safes together can read it, such as {such}; fewer never do."


def _parts(one: Explanation) -> Iterator[str]:
    if one.part_readers is not None:
        count = _safes(len(one.part_readers))
        yield (
            f"A part of it can be read by {count} already, such as {_and(one.part_readers)}: compact shares "
            "are parts of what was sealed."
        )


def _with_wallet(one: Explanation) -> Iterator[str]:
    if one.readers_with_wallet is None:
        return
    has = "the wallet's key" if one.policy.key.is_wallets else "the shares in the wallet"
    if not one.readers_with_wallet:
        yield f"Whoever has {has} reads it without any safe."
    else:
        count, such = _safes(len(one.readers_with_wallet)), _and(one.readers_with_wallet)
        yield f"Whoever has {has} reads it with {count}, such as {such}."


def _root(one: Explanation) -> Iterator[str]:
    if one.policy.key.mode == "root":
        yield (
            "The key comes from the root, which is registered at the safes under the default policy and then "
            "leaves the wallet: this counts those who can read the root."
        )


def _lost_safes(one: Explanation) -> str:
    count = len(one.safes)
    if one.may_be_lost == 0:
        return f"While the wallet is there, none of the safes that keep it may be lost: {_and(one.safes)}."
    if one.may_be_lost >= count:
        return "While the wallet is there, all safes that keep it may be lost: it keeps enough itself."
    return f"While the wallet is there, any {one.may_be_lost} of the {count} safes may be lost."


def _lost_wallet(one: Explanation) -> str:
    inside = ["its receipts", "the key that signs its requests"]
    if one.policy.key.mode == "kept":
        inside.append("the key of the value")
    if one.arrangement.kept_values or one.arrangement.kept_keys:
        inside.append("some of the shares")
    return (
        f"If the wallet is lost, nothing brings the value back: {_and(inside)} are in it alone. "
        "Keep a copy of its folder."
    )


def _after(one: Explanation) -> Iterator[str]:
    if one.policy.drop_after_backup:
        yield "A value is erased from the wallet once all its safes have it."
    if one.policy.forget_after_recovery:
        yield "Receipt and pieces are deleted once the value is back in the wallet."


def _bytes(one: Explanation) -> str:
    return (
        f"For a value of {write_size(one.size_bytes)} all safes together store {one.stored_bytes} bytes; "
        f"with manifest, certificates and what a database adds, about {_rounded(one.rough_bytes)}."
    )


def _rounded(count: int) -> str:
    return f"{-(-count // 1024)} KiB"


def _safes(count: int) -> str:
    return "1 safe" if count == 1 else f"{count} safes"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
