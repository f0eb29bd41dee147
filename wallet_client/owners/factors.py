"""What somebody brings to open an owner's record, and what is at hand of it when a guess is made."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace

from trust.access_policy import PIN_ALONE, Factor
from trust.authority import SignedAuthority
from trust.login import Login
from trust.owner_record import NO_PIN
from wallet_client.owners.devices import Device
from wallet_client.owners.errors import FactorMissing
from wallet_client.owners.names import Pin
from wallet_client.owners.stretch import StretchedPin


@dataclass(frozen=True, slots=True)
class AuthorityLogin:
    """How to be asserted by the owner's authority.

    Args:
        signed: Its description from a file; None: the one that the wallet pinned.
        password: Secret: of the account; None: the session that the wallet has.
    """

    signed: SignedAuthority | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a person brings.

    Args:
        way: By which factors the record is to be opened, ascending.
        pin: Secret.
        device: At hand.
        authority: How to log in.
        new_pin: Secret: a PIN for the record that is to be made, where it was opened without one.

    Raises:
        FactorMissing: The way needs what is not there.
    """

    way: tuple[Factor, ...] = PIN_ALONE
    pin: Pin | None = None
    device: Device | None = None
    authority: AuthorityLogin | None = None
    new_pin: Pin | None = None

    def __post_init__(self) -> None:
        """Hold the way to what there is."""
        for factor in self.way:
            if getattr(self, factor) is None:
                raise FactorMissing(factor)


def by_pin(pin: Pin) -> Proofs:
    """Nothing but a PIN (Secret)."""
    return Proofs(pin=pin)


@dataclass(frozen=True, slots=True)
class Asserted:
    """An authority's word for one guess.

    Args:
        assertion: trust.assertion.SignedAssertion, exact bytes.
        authority: trust.authority.SignedAuthority, exact bytes.
    """

    assertion: bytes
    authority: bytes


@dataclass(frozen=True, slots=True)
class Factors:
    """What is at hand when a record is opened.

    Args:
        way: Of which way it is to be opened now.
        pin: Secret: stretched.
        device: Touched once for all safes of one guess.
        asserted: Has the authority's word for a guess.
        as_wallet: The wallet acts for the owner, so that no safe need wait.
    """

    way: tuple[Factor, ...] = PIN_ALONE
    pin: StretchedPin | None = None
    device: Device | None = None
    asserted: Callable[[Login], Awaitable[Asserted]] | None = None
    as_wallet: bool = False

    @property
    def input(self) -> bytes:
        """Secret: what is blinded: the stretched PIN, or zeros in a way without one; 32 bytes."""
        return self.pin.reveal() if self.pin and "pin" in self.way else NO_PIN

    def with_pin(self, pin: StretchedPin | None) -> "Factors":
        """With another PIN (Secret), where there is one."""
        return replace(self, pin=pin or self.pin)

    def for_one_of(self, ways: Iterable[tuple[Factor, ...]]) -> "Factors | None":
        """By the way of these for which all is at hand and least is asked; None where there is none."""
        there = {"pin": self.pin, "device": self.device, "authority": self.asserted}
        able = [way for way in ways if all(there[factor] is not None for factor in way)]
        if not able:
            return None
        return replace(self, way=min(able, key=lambda way: (len(set(way) - {"pin"}), way != self.way, way)))
