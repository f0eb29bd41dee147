"""What binds a wallet's items to their owner: of the root, the part that a wallet keeps.

k safes that put their pieces together have the batch secret; without the binding they have no item key. Its
id stands in every manifest, so that items bound to a root that is being replaced still find theirs.

Source: HKDF-SHA256 (RFC 5869), byte by byte in docs/FORMATS.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from threshold import hkdf
from threshold.errors import InvalidLength
from threshold.sealing import BINDING_BYTES, derive_binding_secret

ID_BYTES = 16

_BINDING_ID = b"kura/v1/binding-id"
_DIGEST_SECRET = b"kura/v1/digest-secret"


@dataclass(frozen=True, slots=True)
class Binding:
    """The binding of one root.

    Args:
        secret: Secret: 32 bytes of `derive_binding_secret`.

    Attributes:
        id: 16 bytes, public; they tell nothing of the secret.

    Raises:
        InvalidLength: The secret is not 32 bytes: an empty one would bind nothing, and nobody would notice.
    """

    secret: bytes = field(repr=False)
    id: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Check it and name it."""
        if len(self.secret) != BINDING_BYTES:
            raise InvalidLength("binding secret", len(self.secret), BINDING_BYTES)
        object.__setattr__(self, "id", hkdf.derive(self.secret, b"", _BINDING_ID, ID_BYTES))

    @classmethod
    def of_root(cls, root: bytes) -> Binding:
        """The binding of a root.

        Args:
            root: Secret: the owner's 32 bytes.

        Raises:
            InvalidLength: It has another length.
        """
        return cls(derive_binding_secret(root))

    @property
    def digest_secret(self) -> bytes:
        """Secret: what sealed digests are sealed under, so that the owner reads them from any wallet."""
        return digest_secret(self.secret)


def digest_secret(secret: bytes) -> bytes:
    """Secret: 32 bytes for digests.

    Args:
        secret: Secret: a binding's; or, before an owner is enrolled, the wallet's signing seed; 32 bytes.
    """
    return hkdf.derive(secret, b"", _DIGEST_SECRET)
