"""Which pieces other safes can give back, and which they never can: told by the manifest alone."""

from collections.abc import Iterable

from trust.manifest import Manifest, Place


def is_beyond_repair(manifest: Manifest, place: Place) -> bool:
    """Whether no peers could ever give back what is placed there, though all were there and honest.

    A share that was sealed by itself is no combination of others; and k other safes must keep a share.
    """
    others = [one for one in manifest.placement if one.safe_id != place.safe_id]
    if place.key and _safes(one for one in others if one.key) < manifest.terms.key.k:
        return True
    if not place.value:
        return False
    is_sealed_apart = manifest.terms.order != "seal-then-divide"
    return is_sealed_apart or _safes(one for one in others if one.value) < manifest.terms.value.k


def _safes(places: Iterable[Place]) -> int:
    """How many safes: one that keeps several shares helps with one of them."""
    return len({place.safe_id for place in places})
