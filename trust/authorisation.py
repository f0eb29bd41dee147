"""Which wallets act for an owner: the owner's signed word for a wallet key, and against it.

An authorised wallet registers, fetches and deletes what any wallet of the same owner registered; every
manifest it makes carries the authorisation, so a safe that missed the enrolment learns of it with the first
batch. A revocation dominates for good: a wallet that comes back gets a key of its own.

What is read here holds under the owner key that it names itself. Whether that is the owner in question, and
the wallet the one that calls, is for the reader to compare. The wallet consents by what it signs with its own
key: a manifest that carries the authorisation, or the request that shows it.
"""

from functools import lru_cache

from trust.documents import Document, SigningKey, verify
from trust.ids import (
    OwnerKey,
    OwnerKeyField,
    Signature,
    SignatureField,
    UnixSeconds,
    WalletKey,
    WalletKeyField,
)


class WalletAuthorisation(Document, frozen=True):
    """A wallet key may act for an owner.

    Args:
        owner_key: Whose word it is; the signature is by this key.
        wallet_key: Who may act.
        issued_at: When, by the clock of whoever had the owner's key.
    """

    title = "wallet authorisation"

    owner_key: OwnerKeyField
    wallet_key: WalletKeyField
    issued_at: UnixSeconds


class SignedAuthorisation(Document, frozen=True):
    """An authorisation as it travels.

    Args:
        authorisation: Exact signed bytes.
        signature: The owner's.
    """

    title = "signed wallet authorisation"

    authorisation: bytes
    signature: SignatureField


class WalletRevocation(Document, frozen=True):
    """A wallet key acts for its owner no longer, whatever authorisations it shows, earlier or later ones.

    Args:
        owner_key: Whose word it is; the signature is by this key.
        wallet_key: Who acts no longer.
        revoked_at: When, by the clock of whoever had the owner's key.
    """

    title = "wallet revocation"

    owner_key: OwnerKeyField
    wallet_key: WalletKeyField
    revoked_at: UnixSeconds


def authorise_wallet(wallet_key: WalletKey, issued_at: int, owner: SigningKey) -> SignedAuthorisation:
    """The owner's word for a wallet.

    Args:
        wallet_key: Who may act.
        issued_at: Whole seconds since 1970-01-01 UTC.
        owner: Secret: the owner's key.
    """
    body = WalletAuthorisation(_public(owner), wallet_key, issued_at).to_bytes()
    return SignedAuthorisation(body, owner.sign(WalletAuthorisation.title, body))


@lru_cache(maxsize=1024)  # every manifest of a wallet carries the same one
def read_authorisation(signed: SignedAuthorisation) -> WalletAuthorisation:
    """Parse an authorisation and check the signature of the owner key it names.

    Raises:
        DocumentMalformed: It does not parse.
        SignatureInvalid: That key did not sign it.
    """
    authorisation = WalletAuthorisation.from_bytes(signed.authorisation)
    verify(WalletAuthorisation.title, authorisation.owner_key, signed.authorisation, signed.signature)
    return authorisation


def revoke_wallet(wallet_key: WalletKey, revoked_at: int, owner: SigningKey) -> tuple[bytes, Signature]:
    """The owner's word against a wallet: its exact bytes, and the signature.

    Args:
        wallet_key: Who acts no longer.
        revoked_at: Whole seconds since 1970-01-01 UTC.
        owner: Secret: the owner's key.
    """
    body = WalletRevocation(_public(owner), wallet_key, revoked_at).to_bytes()
    return body, owner.sign(WalletRevocation.title, body)


def read_revocation(body: bytes, signature: bytes) -> WalletRevocation:
    """Parse a revocation and check the signature of the owner key it names.

    Raises:
        DocumentMalformed: It does not parse.
        SignatureInvalid: That key did not sign it.
    """
    revocation = WalletRevocation.from_bytes(body)
    verify(WalletRevocation.title, revocation.owner_key, body, signature)
    return revocation


def _public(owner: SigningKey) -> OwnerKey:
    return OwnerKey(owner.public)
