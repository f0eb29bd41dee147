"""What one safe says of an owner, parsed and not checked: who knows the owner's key checks each signature."""

from dataclasses import dataclass, field

from kura.safe.v1 import owner_pb2 as pb
from trust.authorisation import SignedAuthorisation
from trust.ids import HASH_BYTES, SIGNATURE_BYTES, Signature
from wallet_client.network.failures import WrongReply


@dataclass(frozen=True, slots=True)
class CataloguePiece:
    """One piece as a safe tells it, not checked; exact bytes."""

    leaf_index: int
    leaf: bytes
    certificate: bytes


@dataclass(frozen=True, slots=True)
class CatalogueBatch:
    """What a safe keeps of one batch, not checked; exact bytes.

    Args:
        manifest: The batch's.
        signature: The registering wallet's.
        leaf_hashes: Of all leaves, 32 bytes each.
        pieces: At this safe.
        certificates_signature: The safe's, over all certificates of `pieces`.
    """

    manifest: bytes
    signature: bytes
    leaf_hashes: tuple[bytes, ...]
    pieces: tuple[CataloguePiece, ...]
    certificates_signature: bytes


@dataclass(slots=True)
class SafesCatalogue:
    """All that one safe says of the owner, not checked."""

    authorisations: list[SignedAuthorisation] = field(default_factory=list)
    revocations: list[tuple[bytes, bytes]] = field(default_factory=list)
    batches: list[CatalogueBatch] = field(default_factory=list)
    tombstones: list[tuple[bytes, bytes]] = field(default_factory=list)
    revivals: list[tuple[bytes, bytes]] = field(default_factory=list)


def add_entry(catalogue: SafesCatalogue, answer: pb.CatalogueResponse) -> None:
    """Take in one message of the stream.

    Raises:
        WrongReply: It is none.
    """
    match answer.WhichOneof("entry"):
        case "wallet":
            add_wallet(catalogue, answer.wallet)
        case "batch":
            catalogue.batches.append(_batch(answer.batch))
        case "tombstone":
            catalogue.tombstones.append((answer.tombstone.tombstone, answer.tombstone.signature))
        case "revival":
            catalogue.revivals.append((answer.revival.revival, answer.revival.signature))
        case _:
            raise WrongReply


def add_wallet(catalogue: SafesCatalogue, wallet: pb.OwnersWallet) -> None:
    """Take in one wallet; where it was revoked before it was heard of, a safe has the revocation alone.

    Raises:
        WrongReply: A signature has another length.
    """
    if wallet.authorisation:
        if len(wallet.signature) != SIGNATURE_BYTES:
            raise WrongReply
        signed = SignedAuthorisation(wallet.authorisation, Signature(wallet.signature))
        catalogue.authorisations.append(signed)
    if wallet.revocation:
        catalogue.revocations.append((wallet.revocation, wallet.revocation_signature))


def _batch(batch: pb.CatalogueBatch) -> CatalogueBatch:
    hashes = batch.leaf_hashes
    return CatalogueBatch(
        manifest=batch.manifest,
        signature=batch.manifest_signature,
        leaf_hashes=tuple(hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)),
        pieces=tuple(CataloguePiece(one.leaf_index, one.leaf, one.certificate) for one in batch.pieces),
        certificates_signature=batch.signature,
    )
