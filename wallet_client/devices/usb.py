"""A FIDO2 key at the USB port, by the library fido2: as thin as it can be, since no test here can touch one.

The credential is discoverable, so that a name alone finds it again; its user handle is the owner id, which
tells several owners on one key apart. Whether the key verifies its owner is the key's affair: it is asked to
where it has a PIN or a finger. Registration takes two touches, everything else one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from wallet_client.owners.devices import DeviceAnswer, DeviceQuestion
from wallet_client.owners.errors import DeviceFailed

if TYPE_CHECKING:
    from fido2.client import Fido2Client

_NAME: Final = "fido2"
_PARTY_NAME: Final = "Kura"


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """The one key that is plugged in.

    Args:
        ask_pin: Asks the person for the key's PIN; gives a Secret text.
        say: Tells the person to touch it.
    """

    ask_pin: Callable[[], str]
    say: Callable[[str], None]

    @property
    def name(self) -> str:
        """As the command line has it."""
        return _NAME

    def register(self, question: DeviceQuestion) -> bytes:
        """As Device."""
        from fido2.webauthn import (
            PublicKeyCredentialCreationOptions,
            PublicKeyCredentialParameters,
            PublicKeyCredentialRpEntity,
            PublicKeyCredentialType,
            PublicKeyCredentialUserEntity,
        )

        options = PublicKeyCredentialCreationOptions.from_dict(
            {
                "rp": PublicKeyCredentialRpEntity(name=_PARTY_NAME, id=question.party),
                "user": PublicKeyCredentialUserEntity(name="owner", id=question.owner_id),
                "challenge": question.challenge,
                "pubKeyCredParams": [
                    PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=algorithm)
                    for algorithm in (-8, -7)
                ],
                "authenticatorSelection": {"residentKey": "required", "userVerification": "preferred"},
                "extensions": {"hmacCreateSecret": True},
            }
        )
        made = _tried(lambda: self._client(question).make_credential(options))
        credential = made.response.attestation_object.auth_data.credential_data
        if credential is None:
            raise DeviceFailed(_NAME, "it made no credential")
        return bytes(credential)

    def answer(self, question: DeviceQuestion) -> DeviceAnswer:
        """As Device."""
        from fido2.webauthn import PublicKeyCredentialRequestOptions

        options = PublicKeyCredentialRequestOptions.from_dict(
            {
                "challenge": question.challenge,
                "rpId": question.party,
                "userVerification": "preferred",
                "extensions": {"hmacGetSecret": {"salt1": question.salt}},
            }
        )
        selection = _tried(lambda: self._client(question).get_assertion(options))
        for index, found in enumerate(selection.get_assertions()):
            if found.user is None or found.user.id == question.owner_id:
                said = _tried(partial(selection.get_response, index))
                outputs: Any = said.client_extension_results.get("hmacGetSecret") or {}
                if not outputs:
                    raise DeviceFailed(_NAME, "it makes no secrets (hmac-secret)")
                return DeviceAnswer(
                    said.raw_id,
                    bytes(said.response.client_data),
                    bytes(said.response.authenticator_data),
                    said.response.signature,
                    bytes(outputs["output1"]),
                )
        raise DeviceFailed(_NAME, "it has no credential for this owner")

    def _client(self, question: DeviceQuestion) -> "Fido2Client":
        from fido2.client import DefaultClientDataCollector, Fido2Client
        from fido2.ctap2.extensions import HmacSecretExtension
        from fido2.hid import CtapHidDevice

        device = next(CtapHidDevice.list_devices(), None)
        if device is None:
            raise DeviceFailed(_NAME, "none is plugged in")
        # The relying party is a roster and no domain: there is no public suffix to hold it to.
        collector = DefaultClientDataCollector(question.origin, verify=lambda _party, _origin: True)
        return Fido2Client(
            device,
            client_data_collector=collector,
            user_interaction=_interaction(self),
            extensions=[HmacSecretExtension(allow_hmac_secret=True)],  # type: ignore[no-untyped-call]
        )


def _interaction(device: UsbDevice) -> Any:
    from fido2.client import UserInteraction

    class Person(UserInteraction):
        def prompt_up(self) -> None:
            device.say("Touch the key now.")

        def request_pin(self, permissions: object, rp_id: str | None) -> str | None:
            return device.ask_pin()

        def request_uv(self, permissions: object, rp_id: str | None) -> bool:
            return True

    return Person()


def _tried(work: Callable[[], Any]) -> Any:
    from fido2.client import ClientError
    from fido2.ctap import CtapError

    try:
        return work()
    except (ClientError, CtapError, OSError) as error:
        raise DeviceFailed(_NAME, str(error) or type(error).__name__) from error
