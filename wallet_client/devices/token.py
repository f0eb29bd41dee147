"""A PKCS#11 token as a device: the signing key and the key of its secret never leave it.

On the token are, for each owner and roster, an EC key pair on P-256 and an HMAC key, under one id that comes
of both names. A token counts no signatures, so the counter is 0 each time; nor can it tell whether somebody
is there, so what stands for a touch is that its PIN was typed. It needs the library python-pkcs11, which
comes with the extra "pkcs11" of this package, and the token's own module.

Source: PKCS#11 2.40 (CKM_ECDSA, CKM_SHA256_HMAC); RFC 7512 (how a token is named).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote

from trust.ids import OwnerId
from wallet_client.owners.devices import DeviceAnswer, DeviceQuestion
from wallet_client.owners.errors import DeviceFailed
from wallet_client.storage.secret import Secret

if TYPE_CHECKING:
    from fido2.webauthn import AttestedCredentialData

_CREDENTIAL = b"kura/v1/token-device"
_LABEL = "kura"
_SECRET_BITS = 256


@dataclass(frozen=True, slots=True)
class TokenName:
    """Which token, of which module.

    Args:
        label: The token's.
        module: Path of the module that speaks to it.
    """

    label: str
    module: str

    @classmethod
    def read(cls, text: str) -> "TokenName":
        """From `pkcs11:token=NAME?module-path=PATH`.

        Raises:
            DeviceFailed: It names no token, or no module.
        """
        path, _, query = text.removeprefix("pkcs11:").partition("?")
        named = dict(one.partition("=")[::2] for one in path.split(";"))
        module = parse_qs(query).get("module-path", [""])[0]
        if not named.get("token") or not module:
            raise DeviceFailed(text, "a token is named pkcs11:token=NAME?module-path=PATH")
        return cls(unquote(named["token"]), module)

    def __str__(self) -> str:
        """As it is typed."""
        return f"pkcs11:token={self.label}?module-path={self.module}"


@dataclass(frozen=True, slots=True)
class TokenDevice:
    """One token.

    Args:
        at: Which.
        pin: Secret: the token's own PIN.
    """

    at: TokenName
    pin: Secret

    @property
    def name(self) -> str:
        """As the command line has it."""
        return str(self.at)

    def register(self, question: DeviceQuestion) -> bytes:
        """As Device: keys that are there for this owner stay."""
        from pkcs11 import Attribute, KeyType, Mechanism
        from pkcs11.util.ec import encode_named_curve_parameters

        name = _credential_id(question.party, question.owner_id)
        with self._session() as session:
            if not list(session.get_objects({Attribute.ID: name, Attribute.LABEL: _LABEL})):
                curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
                parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
                parameters.generate_keypair(id=name, label=_LABEL, store=True)
                # CKK_GENERIC_SECRET is what every token takes for CKM_SHA256_HMAC.
                session.generate_key(
                    KeyType.GENERIC_SECRET,
                    _SECRET_BITS,
                    id=name,
                    label=_LABEL,
                    store=True,
                    mechanism=Mechanism.GENERIC_SECRET_KEY_GEN,
                    template={Attribute.SIGN: True, Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True},
                )
            return bytes(_credential(session, name))

    def answer(self, question: DeviceQuestion) -> DeviceAnswer:
        """As Device."""
        from fido2.webauthn import AuthenticatorData, CollectedClientData
        from pkcs11 import Mechanism, ObjectClass
        from pkcs11.util.ec import encode_ecdsa_signature

        name = _credential_id(question.party, question.owner_id)
        client_data = bytes(CollectedClientData.create("webauthn.get", question.challenge, question.origin))
        flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV
        data = bytes(AuthenticatorData.create(sha256(question.party.encode()).digest(), flags, 0))
        digest = sha256(data + sha256(client_data).digest()).digest()
        with self._session() as session:
            private = session.get_key(ObjectClass.PRIVATE_KEY, id=name, label=_LABEL)
            secret = session.get_key(ObjectClass.SECRET_KEY, id=name, label=_LABEL)
            signature = encode_ecdsa_signature(private.sign(digest, mechanism=Mechanism.ECDSA))
            made = secret.sign(question.salt, mechanism=Mechanism.SHA256_HMAC)
        return DeviceAnswer(name, client_data, data, signature, made)

    @contextmanager
    def _session(self) -> Iterator[Any]:
        """Logged in, and closed afterwards.

        Raises:
            DeviceFailed: There is no such module, token, PIN or key.
        """
        try:
            import pkcs11
            from pkcs11.exceptions import NoSuchKey, PinIncorrect, PKCS11Error
        except ImportError as error:
            raise DeviceFailed(
                self.name, "python-pkcs11 is not installed: pip install kura[pkcs11]"
            ) from error
        try:
            token = pkcs11.lib(self.at.module).get_token(token_label=self.at.label)
            with token.open(rw=True, user_pin=self.pin.reveal().decode()) as session:
                yield session
        except NoSuchKey:
            raise DeviceFailed(self.name, "it has no key for this owner") from None
        except PinIncorrect:
            raise DeviceFailed(self.name, "its PIN is another; it locks after a few wrong ones") from None
        except (PKCS11Error, RuntimeError, OSError) as error:
            raise DeviceFailed(self.name, f"{type(error).__name__} {error}".strip()) from error

    @classmethod
    def open(cls, text: str, pin: str) -> Self:
        """The token that is named; `pin` is Secret, and tried at the first use.

        Raises:
            DeviceFailed: The text names none.
        """
        return cls(TokenName.read(text), Secret(pin.encode()))


def _credential_id(party: str, owner_id: OwnerId) -> bytes:
    """The same from nothing but the owner's name and the roster: 32 bytes."""
    return sha256(_CREDENTIAL + owner_id + party.encode()).digest()


def _credential(session: Any, name: bytes) -> "AttestedCredentialData":
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from fido2.cose import ES256
    from fido2.webauthn import Aaguid, AttestedCredentialData
    from pkcs11 import Attribute, ObjectClass

    public = session.get_key(ObjectClass.PUBLIC_KEY, id=name, label=_LABEL)
    point = bytes(public[Attribute.EC_POINT])[-65:]  # behind the header of a DER octet string
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    return AttestedCredentialData.create(
        Aaguid.NONE,
        name,
        ES256.from_cryptography_key(key),  # type: ignore[no-untyped-call]
    )
