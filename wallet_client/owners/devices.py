"""What a device does for its owner, whatever kind it is: registers, and answers the safes with one touch.

A device is a WebAuthn authenticator with the extension hmac-secret. An answer is one signature, and the
device's own secret for that owner; `wallet_client/devices` holds the kinds there are. All of them may block:
call them in a thread.

Source: trust/device_proof.py; WebAuthn Level 2 section 7.2; CTAP 2.1 section 12.5.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

from threshold import hpke
from threshold.randomness import RandomSource
from trust.access_policy import OwnersDevice
from trust.device_proof import DeviceProof, SignedChallenge, device_origin, relying_party, secret_salt
from trust.errors import DeviceProofInvalid
from trust.ids import Hash, OwnerId
from wallet_client.owners.errors import DeviceFailed

CHALLENGE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class DeviceQuestion:
    """What a device is asked.

    Args:
        genesis: Of the roster whose safes ask.
        owner_id: For whom.
        challenge: What it is to sign, 32 bytes.
    """

    genesis: Hash
    owner_id: OwnerId
    challenge: bytes

    @property
    def party(self) -> str:
        """The relying party id."""
        return relying_party(self.genesis)

    @property
    def origin(self) -> str:
        """What stands for a page's origin."""
        return device_origin(self.genesis)

    @property
    def salt(self) -> bytes:
        """What the device makes its secret from, 32 bytes."""
        return secret_salt(self.owner_id)


@dataclass(frozen=True, slots=True)
class DeviceAnswer:
    """What it said.

    Args:
        credential_id: Which device it is.
        client_data: WebAuthn client data, JSON.
        authenticator_data: WebAuthn authenticator data.
        signature: Over authenticator data and the SHA-256 of the client data.
        secret: Secret: its own for this owner, 32 bytes.
    """

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    secret: bytes = field(repr=False)

    def proof(self, challenges: tuple[SignedChallenge, ...]) -> DeviceProof:
        """What the safes are shown, with all the challenges that it signed the hash of, ascending."""
        return DeviceProof(
            challenges=challenges,
            credential_id=self.credential_id,
            client_data=self.client_data,
            authenticator_data=self.authenticator_data,
            signature=self.signature,
        )


class Device(Protocol):
    """One device that is at hand."""

    @property
    def name(self) -> str:
        """How the person named it."""

    def register(self, question: DeviceQuestion) -> bytes:
        """Make a credential for an owner, or find the one that is there: WebAuthn attested credential data.

        Raises:
            DeviceFailed: It does not.
        """

    def answer(self, question: DeviceQuestion) -> DeviceAnswer:
        """Sign a challenge, once the person touched it; Secret: the answer's secret.

        Raises:
            DeviceFailed: It does not, or knows no such owner.
        """


def register_device(
    device: Device, genesis: Hash, owner_id: OwnerId, label: str, rng: RandomSource
) -> OwnersDevice:
    """Have a device register, and answer once, as the safes will ask it.

    Args:
        device: At hand; the person touches it, a USB key twice.
        genesis: Of the wallet's roster.
        owner_id: For whom.
        label: 1 to 64 characters; the safes can read it.
        rng: Gives both challenges.

    Raises:
        DeviceFailed: It does not register, or what it signs does not hold.
    """
    from trust.webauthn import SAFES_ALGORITHMS, check_login  # 0.1 s that only a new device needs

    credential = device.register(DeviceQuestion(genesis, owner_id, rng.read(CHALLENGE_BYTES)))
    asked = DeviceQuestion(genesis, owner_id, rng.read(CHALLENGE_BYTES))
    answer = device.answer(asked)
    try:
        touch = check_login(credential, answer, asked.challenge, asked.party, SAFES_ALGORITHMS)
    except DeviceProofInvalid:
        raise DeviceFailed(device.name, "what it signed does not hold") from None
    wrapping_key = hpke.derive_key_pair(answer.secret).public
    return OwnersDevice(
        credential=credential, verifies=touch.verified, wrapping_key=wrapping_key, label=label
    )
