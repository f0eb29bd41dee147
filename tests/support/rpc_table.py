"""Who may call what, and what everybody else gets: one row for every method of every service.

tests/integration/test_who_may_call.py asks every method in the name of every caller there is, and holds the
answers to these rows. To add a method: add a row that says who may, how to ask for what is Anna's, and what
those get who may not. What is refused before anybody looks at a request (unsigned, stale, replayed, revoked,
made for another safe, method or body; no certificate, no session, no token) needs no word here.
"""

from hashlib import sha256
from typing import Final

from google.protobuf.message import Message

from kura.safe.v1 import owner_pb2, peer_pb2, safe_pb2
from support.authority import PASSWORD
from support.owners import WRONG_PIN, DealtOwner, guess_at
from support.peer_safes import session_of, signed_by
from support.rpc_rows import ANSWERED, Clear, Entry, Open, Peer, Row, Sealed, Signed, Token
from support.safe_requests import signed_tombstone
from support.sample_authority import GENESIS_PRINT, LOGIN, RECIPIENT
from support.sample_documents import NOW, SAFE_IDS
from support.two_owners import ANNAS, NEW, AtAuthority, AtSafes
from trust import authority_calls as calls
from trust.access_refusals import NothingWaits
from trust.authorisation import authorise_wallet, revoke_wallet
from trust.authority_refusals import AccountExists, DeviceRefused, LoginRefused, SessionInvalid
from trust.documents import Document, SigningKey
from trust.grant import LIFE_SECONDS, Grant, granted_part, sign_grant
from trust.ids import WalletKey
from trust.owner_refusals import NotAnOwnersWallet, NotTheOwner, OwnerUnknown, UnlockRefused
from trust.peer_refusals import PieceUnknown, RepairSessionInvalid
from trust.refusals import Malformed, RequestSignatureInvalid, SafeUnknown
from trust.tombstone import forget_owner, revive
from trust.wallet_refusals import GrantInvalid, NotPlacedHere, NotYourItem, RosterUnknown


def _signed_by(scene: AtSafes, key: SigningKey) -> owner_pb2.ForgetOwnerRequest:
    """Anna's end, in another's handwriting."""
    body, _ = forget_owner(scene.anna.owner_id, NOW, scene.anna.key)
    return owner_pb2.ForgetOwnerRequest(tombstone=body, signature=key.sign("owner tombstone", body))


def _streamed(scene: AtSafes, _: SigningKey) -> list[Message]:
    opening, blob = scene.batch.opening(scene.safe.safe_id)
    return [
        safe_pb2.RegisterStreamRequest(opening=opening),
        safe_pb2.RegisterStreamRequest(chunk=blob),
    ]


def _guess(scene: AtSafes, _: SigningKey) -> Message:
    return guess_at(scene.anna.record, WRONG_PIN).request()


def _unlock(scene: AtSafes, _: SigningKey) -> Message:
    return guess_at(scene.anna.record, WRONG_PIN).unlock_request(scene.safe.safe_id, bytes(64))


def _certify(scene: AtSafes, _: SigningKey) -> Message:
    (place,) = scene.batch.manifest.places_at(scene.safe.safe_id)
    name = safe_pb2.PieceName(item_id=scene.batch.items[0].item_id, generation=1, x=place.x)
    return safe_pb2.CertifyRequest(pieces=[name])


def _deletion(scene: AtSafes) -> safe_pb2.SignedTombstone:
    return signed_tombstone(ANNAS, scene.batch.items[0].item_id)


def _authorise(scene: AtSafes, _: SigningKey) -> Message:
    signed = authorise_wallet(WalletKey(NEW.public), NOW, scene.anna.key)
    return owner_pb2.AuthoriseWalletRequest(authorisation=signed.authorisation, signature=signed.signature)


def _revoke(scene: AtSafes, _: SigningKey) -> Message:
    body, signature = revoke_wallet(WalletKey(NEW.public), NOW, scene.anna.key)
    return owner_pb2.RevokeWalletRequest(revocation=body, signature=signature)


def _undelete(scene: AtSafes, _: SigningKey) -> Message:
    item = scene.batch.items[0].item_id
    body, signature = revive(_deletion(scene).tombstone, item, 1, NOW, scene.anna.key)
    return owner_pb2.UndeleteRequest(revival=owner_pb2.SignedRevival(revival=body, signature=signature))


def _version(owner: DealtOwner, scene: AtSafes) -> owner_pb2.RecordVersion:
    return owner.versions[scene.safe.safe_id]


def _grant(scene: AtSafes) -> tuple[bytes, bytes]:
    """Anna's wallet's, for the safe that is asked."""
    roster = scene.peers.local.roster
    grant = Grant(
        wallet_key=WalletKey(ANNAS.public),
        gateway=scene.safe.safe_id,
        recipient_key=RECIPIENT.public,
        roster_version=roster.version,
        roster_hash=roster.fingerprint,
        issued_at=NOW,
        expires_at=NOW + LIFE_SECONDS,
        parts=(granted_part(scene.safe.safe_id, [scene.certificate]),),
    )
    return sign_grant(grant, ANNAS)


def _gather(scene: AtSafes, _: SigningKey) -> Message:
    grant, signature = _grant(scene)
    lists = [safe_pb2.GrantedList(certificates=[scene.certificate])]
    return safe_pb2.GatherRequest(grant=grant, signature=signature, lists=lists)


def _collect(scene: AtSafes) -> Message:
    grant, signature = _grant(scene)
    return peer_pb2.CollectRequest(grant=grant, signature=signature, certificates=[scene.certificate])


def _session(scene: AtSafes) -> peer_pb2.SignedSession:
    """The last safe's, shown by another."""
    session, signature = signed_by(session_of(scene.divided, scene.peers), scene.peers.safes[-1])
    return peer_pb2.SignedSession(session=session, signature=signature)


def _other_roster(_: AtSafes) -> peer_pb2.RosterView:
    return peer_pb2.RosterView(version=1, hash=bytes(32))


def _device(_: AtAuthority, token: bytes) -> Document:
    """Signed by nothing: what devices may say wrong is in tests/integration/test_authority.py."""
    return calls.NewDevice(token, "Bert's", b"{}", b"{}")


def _login(scene: AtAuthority, token: bytes) -> Document:
    return calls.DeviceLogin(token, scene.device.credential_id, b"{}", b"{}", b"{}")


_SAFE, _OWNER, _PEER = "/kura.safe.v1.SafeService", "/kura.safe.v1.OwnerService", "/kura.safe.v1.PeerService"
_AUTH, _WALLET = "/kura.auth.v1.AuthService", "/kura.wallet.v1.WalletService"
_NEEDS_OWNER = NotAnOwnersWallet

_OF_A_WALLET = """
    Describe ListValues GetValue GetValueStream AddValues AddValueStream EditValue RemoveValue Backup
    Recover ListReceipts GetReceipt VerifyReceipts ListDeletions ListPolicies GetPolicy ExplainPolicy
    AddPolicy RemovePolicy ListConditions AddCondition EditCondition RemoveCondition SelectValues
    FindRoom ListTriggers AddTrigger RemoveTrigger RunTriggers GiveUpRecoveries ListKeys NewKey
    BackupKey RecoverKey ForgetKey Resume
"""

ROWS: Final[dict[str, Row]] = {
    f"{_SAFE}/Describe": Open(lambda s, k: safe_pb2.DescribeRequest()),
    f"{_SAFE}/Carry": Open(
        lambda s, k: safe_pb2.CarryRequest(safe_id=bytes(16), frame=b"sealed"), SafeUnknown
    ),
    f"{_SAFE}/Register": Signed(
        "wallet",
        lambda s, k: safe_pb2.RegisterRequest(batches=[s.batch.for_safe(s.safe.safe_id)]),
        nobody=Entry(NotYourItem),
        owner=Entry(NotYourItem),
    ),
    f"{_SAFE}/RegisterStream": Signed(
        "wallet", _streamed, nobody=Entry(NotYourItem), owner=Entry(NotYourItem)
    ),
    f"{_SAFE}/Fetch": Signed(
        "wallet",
        lambda s, k: safe_pb2.FetchRequest(certificates=[s.certificate]),
        nobody=Entry(NotYourItem),
        owner=Entry(NotYourItem),
    ),
    f"{_SAFE}/FetchStream": Signed(
        "wallet",
        lambda s, k: safe_pb2.FetchStreamRequest(certificate=s.certificate),
        nobody=NotYourItem,
        owner=NotYourItem,
    ),
    f"{_SAFE}/Certify": Signed("wallet", _certify, nobody=Entry(PieceUnknown), owner=Entry(PieceUnknown)),
    f"{_SAFE}/Repair": Signed(
        "wallet", lambda s, k: safe_pb2.RepairRequest(only_look=True), nobody=ANSWERED, owner=ANSWERED
    ),
    f"{_SAFE}/Gather": Signed("wallet", _gather, nobody=GrantInvalid, owner=GrantInvalid),
    f"{_SAFE}/Delete": Signed(
        "wallet",
        lambda s, k: safe_pb2.DeleteRequest(tombstones=[_deletion(s)]),
        nobody=Entry(NotYourItem),
        owner=Entry(NotYourItem),
    ),
    f"{_OWNER}/BeginUnlock": Open(lambda s, k: owner_pb2.BeginUnlockRequest(owner_id=s.anna.owner_id)),
    f"{_OWNER}/Evaluate": Open(_guess),
    f"{_OWNER}/Unlock": Open(_unlock, UnlockRefused, spoilt=RequestSignatureInvalid),
    f"{_OWNER}/Enroll": Signed(
        "owner",
        lambda s, k: owner_pb2.EnrollRequest(version=_version(s.anna, s)),
        nobody=NotTheOwner,
        owner=NotTheOwner,
    ),
    f"{_OWNER}/StageRecord": Signed(
        "owner",
        lambda s, k: owner_pb2.StageRecordRequest(version=_version(s.later, s)),
        nobody=NotTheOwner,
        owner=NotTheOwner,
    ),
    f"{_OWNER}/CommitRecord": Signed(
        "owner",
        lambda s, k: owner_pb2.CommitRecordRequest(
            owner_id=s.anna.owner_id, record_id=s.later.record.record_id
        ),
        nobody=OwnerUnknown,
        owner=OwnerUnknown,
    ),
    f"{_OWNER}/DropRecord": Signed(
        "owner",
        lambda s, k: owner_pb2.DropRecordRequest(owner_id=s.anna.owner_id, record_id=s.anna.record.record_id),
        nobody=OwnerUnknown,
        owner=OwnerUnknown,
    ),
    f"{_OWNER}/Rearm": Signed(
        "wallet", lambda s, k: owner_pb2.RearmRequest(), nobody=_NEEDS_OWNER, owner=ANSWERED
    ),
    f"{_OWNER}/Veto": Signed(
        "owner",
        lambda s, k: owner_pb2.VetoRequest(recipient_key=RECIPIENT.public),
        nobody=OwnerUnknown,
        owner=NothingWaits,
        theirs=NothingWaits,
        other_wallet=OwnerUnknown,
    ),
    f"{_OWNER}/OwnerStatus": Signed(
        "wallet", lambda s, k: owner_pb2.OwnerStatusRequest(), nobody=_NEEDS_OWNER, owner=ANSWERED
    ),
    f"{_OWNER}/AuthoriseWallet": Signed("new", _authorise, nobody=NotYourItem, owner=NotYourItem),
    f"{_OWNER}/ListWallets": Signed(
        "wallet", lambda s, k: owner_pb2.ListWalletsRequest(), nobody=_NEEDS_OWNER, owner=ANSWERED
    ),
    f"{_OWNER}/RevokeWallet": Signed("wallet", _revoke, nobody=NotAnOwnersWallet, owner=NotTheOwner),
    f"{_OWNER}/Catalogue": Signed(
        "wallet", lambda s, k: owner_pb2.CatalogueRequest(), nobody=_NEEDS_OWNER, owner=ANSWERED
    ),
    f"{_OWNER}/Undelete": Signed("wallet", _undelete, nobody=_NEEDS_OWNER, owner=NotTheOwner),
    f"{_OWNER}/ForgetOwner": Signed("owner", _signed_by, nobody=Malformed, owner=Malformed),
    f"{_PEER}/Inventory": Peer(lambda s: peer_pb2.InventoryRequest(roster=_other_roster(s)), RosterUnknown),
    f"{_PEER}/Words": Peer(lambda s: peer_pb2.WordsRequest(roster=_other_roster(s)), RosterUnknown),
    f"{_PEER}/ShowBatch": Peer(
        lambda s: peer_pb2.ShowBatchRequest(manifest_hash=sha256(s.alone.manifest_bytes).digest()),
        NotPlacedHere,
        at="holder",
    ),
    f"{_PEER}/Sum": Peer(lambda s: peer_pb2.SumRequest(session=_session(s)), RepairSessionInvalid),
    f"{_PEER}/Summand": Peer(lambda s: peer_pb2.SummandRequest(session=_session(s)), RepairSessionInvalid),
    f"{_PEER}/Fragment": Peer(lambda s: peer_pb2.FragmentRequest(session=_session(s)), RepairSessionInvalid),
    f"{_PEER}/Collect": Peer(_collect, GrantInvalid),
    f"{_AUTH}/Describe": Clear(ANSWERED),
    f"{_AUTH}/OpenPath": Clear(Malformed),
    f"{_AUTH}/Register": Sealed(
        lambda s, t: calls.Credentials("anna", "another password"), AccountExists, AccountExists
    ),
    f"{_AUTH}/Login": Sealed(
        lambda s, t: calls.Credentials("anna", "another password"), LoginRefused, LoginRefused
    ),
    f"{_AUTH}/ChallengeDevice": Sealed(lambda s, t: calls.ChallengeQuestion(t), SessionInvalid, ANSWERED),
    f"{_AUTH}/LoginWithDevice": Sealed(_login, SessionInvalid, DeviceRefused),
    f"{_AUTH}/Logout": Sealed(lambda s, t: calls.InSession(bytes(32)), ANSWERED, ANSWERED),
    f"{_AUTH}/ChangePassword": Sealed(
        lambda s, t: calls.PasswordChange("anna", "another password", PASSWORD), LoginRefused, LoginRefused
    ),
    f"{_AUTH}/AddDevice": Sealed(_device, SessionInvalid, DeviceRefused),
    f"{_AUTH}/ListDevices": Sealed(lambda s, t: calls.InSession(t), SessionInvalid, ANSWERED),
    f"{_AUTH}/RemoveDevice": Sealed(
        lambda s, t: calls.DeviceRemoval(t, s.device_id), SessionInvalid, ANSWERED
    ),
    f"{_AUTH}/Assert": Sealed(
        lambda s, t: calls.AssertionWish(t, GENESIS_PRINT, tuple(sorted(SAFE_IDS[:3])), LOGIN.hash()),
        SessionInvalid,
        ANSWERED,
    ),
    f"{_AUTH}/ListEvents": Sealed(lambda s, t: calls.InSession(t), SessionInvalid, ANSWERED),
    **{f"{_WALLET}/{name}": Token() for name in _OF_A_WALLET.split()},
}
