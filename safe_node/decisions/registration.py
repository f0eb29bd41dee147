"""What registering an admitted batch changes, given what is stored.

The store calls this inside the writing transaction, so nothing changes between the look and the write.
"""

from __future__ import annotations

from dataclasses import dataclass

from safe_node.decisions.accounts import plan_authorisation
from safe_node.decisions.costs import batch_cost, check_quota, piece_cost
from safe_node.records import AdmittedBatch, AdmittedPiece, NewPiece, RegistrationPlan, RegistrationState
from trust.certificate import Certificate
from trust.ids import SafeId
from trust.wallet_refusals import ItemDeleted, PieceConflict


@dataclass(frozen=True, slots=True)
class RegistrationRules:
    """What is the same for all batches.

    Args:
        safe_id: Who certifies.
        counter_limit: After this Y the counter returns to 0.
        bytes_per_wallet: Most bytes a wallet may keep; 0 is no limit.
    """

    safe_id: SafeId
    counter_limit: int
    bytes_per_wallet: int

    def plan(self, state: RegistrationState, batch: AdmittedBatch) -> RegistrationPlan:
        """Decide on a batch; see `plan_registration`."""
        return plan_registration(state, batch, self)


def plan_registration(
    state: RegistrationState, batch: AdmittedBatch, rules: RegistrationRules
) -> RegistrationPlan:
    """Certify every piece that is new and repeat the certificate of every piece that stands already.

    Raises:
        WalletRevoked, WalletHasOwner: The wallet cannot be the owner's whom the manifest names.
        ItemDeleted: A tombstone stands for one of its items.
        PieceConflict: Another piece, or the same under another manifest, stands under a piece's name.
        QuotaExceeded: The wallet would keep too much.
    """
    authorises = batch.authorisation is not None and plan_authorisation(state.wallet, batch.authorisation)
    if state.deleted:
        raise ItemDeleted
    fresh = [piece for piece in batch.pieces if not _stands(state, batch, piece)]
    new_pieces, next_counter = issue_certificates(fresh, state.next_counter, rules)
    certificates = {name: known.certificate for name, known in state.existing.items()}
    certificates.update((new.piece.name, new.certificate) for new in new_pieces)
    plan = RegistrationPlan(
        certificates=tuple(certificates[piece.name] for piece in batch.pieces),
        new_pieces=new_pieces,
        next_counter=next_counter,
        batch_cost=0 if state.batch_known else batch_cost(batch),
        authorises=authorises,
    )
    if new_pieces:
        check_quota(state.used_bytes, plan.added_bytes, rules.bytes_per_wallet)
    return plan


def _stands(state: RegistrationState, batch: AdmittedBatch, piece: AdmittedPiece) -> bool:
    known = state.existing.get(piece.name)
    if known is None:
        return False
    if known.manifest_hash != batch.manifest_hash or known.x_hash != piece.x_hash:
        raise PieceConflict
    return True


def issue_certificates(
    pieces: list[AdmittedPiece], next_counter: int, rules: RegistrationRules
) -> tuple[tuple[NewPiece, ...], int]:
    """One certificate for each piece, and the counter after them.

    The counter rises by one for each and returns to 0 after its limit; equal Y are told apart by X.
    """
    issued = []
    counter = next_counter
    for piece in pieces:
        certificate = _certificate(piece, counter, rules.safe_id).to_bytes()
        issued.append(NewPiece(piece, counter, certificate, piece_cost(piece, certificate)))
        counter = 0 if counter >= rules.counter_limit else counter + 1
    return tuple(issued), counter


def _certificate(piece: AdmittedPiece, counter: int, safe_id: SafeId) -> Certificate:
    return Certificate(
        safe_id=safe_id,
        kind=piece.kind,
        digest=piece.digest,
        x_hash=piece.x_hash,
        counter=counter,
        item_id=piece.item_id,
        generation=piece.generation,
        index=piece.x,
    )
