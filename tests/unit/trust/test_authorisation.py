"""An owner's word for a wallet is the owner's, for that wallet; a word against it is not a word for it."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from support.sample_documents import MANIFEST_BYTES, NOW, WALLET, draw, key
from support.sample_owner import (
    AUTHORISATION,
    OWNED_MANIFEST,
    OWNED_MANIFEST_BYTES,
    OWNED_MANIFEST_SIGNATURE,
    OWNER,
    OWNERSHIP,
    REVOCATION,
    REVOCATION_BYTES,
    REVOCATION_SIGNATURE,
    SIGNED_AUTHORISATION,
)
from trust.authorisation import (
    SignedAuthorisation,
    WalletAuthorisation,
    WalletRevocation,
    authorise_wallet,
    read_authorisation,
    read_revocation,
    revoke_wallet,
)
from trust.documents import Document
from trust.errors import DocumentMalformed, SignatureInvalid
from trust.ids import OwnerKey, Signature, WalletKey
from trust.manifest import Ownership, read_manifest, sign_manifest

STRANGER = key("stranger")
OTHER_WALLET = WalletKey(key("another wallet").public)


def signed(document: Document) -> SignedAuthorisation:
    """The document in the place of an authorisation, signed by the owner under its own title."""
    body = document.to_bytes()
    return SignedAuthorisation(body, OWNER.sign(type(document).title, body))


def test_an_authorisation_is_read_under_the_owner_key_it_names() -> None:
    """Who, for whom, since when."""
    expected = WalletAuthorisation(OwnerKey(OWNER.public), WalletKey(WALLET.public), NOW + 1)
    assert read_authorisation(SIGNED_AUTHORISATION) == AUTHORISATION == expected


def test_a_revocation_is_read_under_the_owner_key_it_names() -> None:
    """Likewise."""
    expected = WalletRevocation(OwnerKey(OWNER.public), WalletKey(WALLET.public), NOW + 2)
    assert read_revocation(REVOCATION_BYTES, REVOCATION_SIGNATURE) == REVOCATION == expected


CHANGES = [
    pytest.param({"wallet_key": OTHER_WALLET}, id="another wallet"),
    pytest.param({"owner_key": OwnerKey(STRANGER.public)}, id="another owner"),
]


@pytest.mark.parametrize("fields", [*CHANGES, pytest.param({"issued_at": NOW}, id="another time")])
def test_an_authorisation_is_for_nothing_else(fields: dict[str, Any]) -> None:
    """The signature covers all of it."""
    body = replace(AUTHORISATION, **fields).to_bytes()
    with pytest.raises(SignatureInvalid):
        read_authorisation(SignedAuthorisation(body, SIGNED_AUTHORISATION.signature))


@pytest.mark.parametrize("fields", [*CHANGES, pytest.param({"revoked_at": NOW}, id="another time")])
def test_a_revocation_is_of_nothing_else(fields: dict[str, Any]) -> None:
    """As above."""
    with pytest.raises(SignatureInvalid):
        read_revocation(replace(REVOCATION, **fields).to_bytes(), REVOCATION_SIGNATURE)


def test_a_stranger_authorises_for_itself_alone() -> None:
    """The word holds under the stranger's key, which the reader does not take for the owner's."""
    theirs = read_authorisation(authorise_wallet(OTHER_WALLET, NOW, STRANGER))
    assert theirs.owner_key == STRANGER.public
    body = replace(theirs, owner_key=OwnerKey(OWNER.public)).to_bytes()
    with pytest.raises(SignatureInvalid):
        read_authorisation(SignedAuthorisation(body, STRANGER.sign(WalletAuthorisation.title, body)))


def test_a_word_for_a_wallet_is_no_word_against_it() -> None:
    """Both have the same layout; what keeps them apart is what was signed."""
    with pytest.raises(SignatureInvalid):
        read_authorisation(SignedAuthorisation(REVOCATION_BYTES, REVOCATION_SIGNATURE))
    with pytest.raises(SignatureInvalid):
        read_revocation(SIGNED_AUTHORISATION.authorisation, SIGNED_AUTHORISATION.signature)


@pytest.mark.parametrize(
    "read",
    [
        lambda body: read_authorisation(SignedAuthorisation(body, Signature(bytes(64)))),
        lambda body: read_revocation(body, bytes(64)),
    ],
    ids=["authorisation", "revocation"],
)
@pytest.mark.parametrize("body", [b"", REVOCATION_BYTES[:-1], MANIFEST_BYTES], ids=["none", "cut", "another"])
def test_what_does_not_parse_is_refused_before_its_signature(
    read: Callable[[bytes], object], body: bytes
) -> None:
    """The error is about the document then."""
    with pytest.raises(DocumentMalformed):
        read(body)


def test_a_refusal_is_not_remembered_and_a_good_word_is_read_once() -> None:
    """A wallet shows the same authorisation in every manifest."""
    forged = SignedAuthorisation(SIGNED_AUTHORISATION.authorisation, Signature(draw("forged", 64)))
    for _ in range(2):
        with pytest.raises(SignatureInvalid):
            read_authorisation(forged)
    assert read_authorisation(SIGNED_AUTHORISATION) is read_authorisation(SIGNED_AUTHORISATION)


class TestInAManifest:
    """The manifest is read only with a word that holds, for the wallet that signed."""

    def test_it_is_read(self) -> None:
        """And says which root its items are bound to."""
        manifest = read_manifest(OWNED_MANIFEST_BYTES, OWNED_MANIFEST_SIGNATURE)
        assert manifest.ownership == OWNERSHIP

    @pytest.mark.parametrize(
        ("shown", "error"),
        [
            pytest.param(
                SignedAuthorisation(SIGNED_AUTHORISATION.authorisation, Signature(bytes(64))),
                SignatureInvalid,
                id="a word that the owner did not sign",
            ),
            pytest.param(
                authorise_wallet(OTHER_WALLET, NOW, OWNER), DocumentMalformed, id="another wallet's word"
            ),
            pytest.param(signed(REVOCATION), SignatureInvalid, id="a word against it"),
            pytest.param(signed(OWNERSHIP), DocumentMalformed, id="another document"),
        ],
    )
    def test_it_is_refused(self, shown: SignedAuthorisation, error: type[Exception]) -> None:
        """Though the wallet signed the manifest itself."""
        manifest = replace(OWNED_MANIFEST, ownership=Ownership(OWNERSHIP.binding_id, shown))
        with pytest.raises(error):
            read_manifest(*sign_manifest(manifest, WALLET))

    def test_nobody_else_can_use_the_wallets_word(self) -> None:
        """A stranger that has seen it cannot register for the owner."""
        theirs = replace(OWNED_MANIFEST, wallet_key=WalletKey(STRANGER.public))
        with pytest.raises(DocumentMalformed, match="authorises another wallet"):
            read_manifest(*sign_manifest(theirs, STRANGER))

    def test_the_owner_cannot_be_taken_out(self) -> None:
        """Nor put in: the wallet signed what it signed."""
        with pytest.raises(SignatureInvalid):
            read_manifest(replace(OWNED_MANIFEST, ownership=None).to_bytes(), OWNED_MANIFEST_SIGNATURE)


def test_revoking_takes_the_owners_key() -> None:
    """A stranger's revocation is the stranger's."""
    assert read_revocation(*revoke_wallet(OTHER_WALLET, NOW, STRANGER)).owner_key == STRANGER.public
