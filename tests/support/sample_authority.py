"""One authority, what it says, and an assertion; nothing is random."""

from dataclasses import replace as with_changes
from typing import Any

from msgspec.structs import replace

from support.sample_documents import NOW, SAFE_IDS, draw, key, sealing_pair
from threshold.hpke import KeyPair
from trust import authority_calls as calls
from trust.assertion import Assertion, Presentation, SignedAssertion, sign_assertion
from trust.authority import (
    AuthorityDescription,
    SignedAuthority,
    SigningPeriod,
    describe_authority,
    identity_of,
)
from trust.common_key import KeyHalf, make_half
from trust.documents import SigningKey
from trust.ids import GuessId, Hash, OwnerId, RecordId
from trust.login import Login
from trust.owner_information import Answer, Question

IDENTITY = key("authority identity")
SIGNING = key("authority signing")
OLD_SIGNING = key("authority signing before")
SEALING = sealing_pair("authority sealing")
RECIPIENT = KeyPair(draw("assertion recipient", 32))
GENESIS_PRINT = Hash(draw("genesis fingerprint", 32))
OWNER_ID = OwnerId(draw("authority owner id", 32))
DAY = 86_400
LOGIN = Login(
    owner_id=OWNER_ID,
    way=("authority", "pin"),
    record_id=RecordId(draw("authority record", 16)),
    guess_id=GuessId(draw("guess with an authority", 16)),
    element=draw("blinded element with an authority", 32),
    recipient_key=RECIPIENT.public,
)

DESCRIPTION = AuthorityDescription(
    identity_key=identity_of(IDENTITY),
    version=2,
    issued_at=NOW,
    name="authority",
    endpoint="auth.example.org:7401",
    tls_certificate=draw("authority certificate", 64),
    sealing_key=SEALING.public,
    signing_keys=(
        SigningPeriod(OLD_SIGNING.public, NOW - 30 * DAY, NOW + 900),
        SigningPeriod(SIGNING.public, NOW - 300, NOW + 400 * DAY),
    ),
)
SIGNED_DESCRIPTION = describe_authority(DESCRIPTION, IDENTITY)

ASSERTION = Assertion(
    assertion_id=draw("assertion id", 16),
    authority=DESCRIPTION.identity_key,
    owner_id=OWNER_ID,
    genesis=GENESIS_PRINT,
    audience=tuple(sorted(SAFE_IDS[:3])),
    login=LOGIN.hash(),
    methods=("device", "password"),
    issued_at=NOW,
    expires_at=NOW + 300,
)
SIGNED_ASSERTION = sign_assertion(ASSERTION, SIGNING)
SHOWN = Presentation(SAFE_IDS[0], GENESIS_PRINT, LOGIN, DESCRIPTION.identity_key)

WALLET_HALF = draw("wallet half", 32)
SIGNED_HALF, COMMON = make_half(
    DESCRIPTION.identity_key,
    KeyPair(WALLET_HALF).public,
    draw("authority half", 32),
    draw("path id", 16),
    NOW,
    SIGNING,
)
HALF = KeyHalf.from_bytes(SIGNED_HALF.half)

TOKEN = draw("session token", 32)
_METHOD = "/kura.auth.v1.AuthService/Login"
CREDENTIALS = calls.Credentials("Anna", "correct horse")
QUESTION = Question(
    _METHOD, draw("question id", 16), NOW * 1_000, draw("answer secret", 32), CREDENTIALS.to_bytes(), b""
)

CALLS: dict[str, Any] = {
    "credentials": CREDENTIALS,
    "password change": calls.PasswordChange("Anna", "correct horse", "battery staple"),
    "done": calls.Done(NOW),
    "session": calls.Session(TOKEN, "anna", ("device", "password"), NOW + 3_600),
    "in session": calls.InSession(TOKEN),
    "challenge question": calls.ChallengeQuestion(b""),
    "device challenge": calls.DeviceChallenge(draw("challenge", 32), draw("handle", 16)),
    "new device": calls.NewDevice(TOKEN, "key ring", b"{}", b"\xa0"),
    "device login": calls.DeviceLogin(b"", draw("credential", 32), b"{}", draw("data", 37), draw("s", 70)),
    "device": calls.DeviceShown(draw("device id", 16), "key ring", True, NOW),
    "devices": calls.Devices((calls.DeviceShown(draw("device id", 16), "key ring", True, NOW),)),
    "device removal": calls.DeviceRemoval(TOKEN, draw("device id", 16)),
    "event": calls.EventShown(NOW, "registered", ""),
    "events": calls.Events((calls.EventShown(NOW, "device added", "key ring"),)),
    "assertion wish": calls.AssertionWish(TOKEN, GENESIS_PRINT, ASSERTION.audience, LOGIN.hash()),
    "granted assertion": calls.Granted(SIGNED_ASSERTION.to_bytes()),
}
DOCUMENTS: dict[str, Any] = {
    "signing period": DESCRIPTION.signing_keys[0],
    "authority description": DESCRIPTION,
    "signed authority description": SIGNED_DESCRIPTION,
    "assertion": ASSERTION,
    "signed assertion": SIGNED_ASSERTION,
    "question": QUESTION,
    "answer": Answer(calls.Done(NOW).to_bytes(), bytes(3)),
    "key half": HALF,
    "signed key half": SIGNED_HALF,
    **CALLS,
}


def described(**changes: Any) -> SignedAuthority:
    """The description with changes, signed."""
    return describe_authority(replace(DESCRIPTION, **changes), IDENTITY)


def asserted(by: SigningKey = SIGNING, **changes: Any) -> SignedAssertion:
    """The assertion with changes, signed."""
    return sign_assertion(replace(ASSERTION, **changes), by)


def shown(**changes: Any) -> Presentation:
    """The call with changes."""
    return with_changes(SHOWN, **changes)
