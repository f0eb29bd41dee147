"""What an owner asks of who comes back: ways in, devices, an authority, a waiting period; how it is said.

An expression of `pin`, `device`, `authority`, `and`, `or` and parentheses becomes ways in disjunctive normal
form. A way that another makes needless is left out: who may come by `pin` alone needs no `pin and device`.
"""

from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Final, cast

from trust.access_policy import PIN_ALONE, AccessPolicy, Factor, OwnersDevice
from trust.ids import AuthorityKey, OwnerId, OwnerKey, RecordId
from wallet_client.errors import WalletError

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

    _Node = Tree[Token] | Token

FACTORS: Final[tuple[Factor, ...]] = ("pin", "device", "authority")
"""In the order in which people are told them."""
EXPRESSION_MAX_CHARACTERS: Final = 200
_GRAMMAR: Final = r"""
start: either
?either: both (_OR both)*
?both: one (_AND one)*
?one: FACTOR | _LEFT either _RIGHT
FACTOR: /(?:pin|device|authority)\b/i
_OR: /or\b/i
_AND: /and\b/i
_LEFT: "("
_RIGHT: ")"
%ignore /\s+/
"""


@dataclass(eq=False)
class AccessExpressionInvalid(WalletError):
    """A text that says no access policy.

    Args:
        position: Where it stops to make sense; 1 is its first character.
    """

    position: int

    sentence = "The access policy makes no sense from place {position} on."
    hint = "Write pin, device, authority, and, or, and parentheses: 'pin and (device or authority)'."


@dataclass(frozen=True, slots=True)
class Access:
    """The terms of one version of an owner's record, as trust.access_policy.AccessPolicy has them.

    Args:
        ways: 1 to 7, ascending.
        devices: By which the owner is known.
        authority: Identity key of the owner's authority; at most one.
        waiting_seconds: How long a recovery waits that no wallet of the owner's asks for.
    """

    ways: tuple[tuple[Factor, ...], ...] = (PIN_ALONE,)
    devices: tuple[OwnersDevice, ...] = ()
    authority: tuple[AuthorityKey, ...] = ()
    waiting_seconds: int = 0

    @classmethod
    def of(cls, policy: AccessPolicy) -> "Access":
        """The terms of a policy."""
        return cls(policy.ways, policy.devices, policy.authority, policy.waiting_seconds)

    def policy(
        self, owner_id: OwnerId, owner_key: OwnerKey, record_id: RecordId, made_at: int
    ) -> AccessPolicy:
        """The document with these terms.

        Raises:
            DocumentProblem: They make none, such as a way with a device, and no device.
        """
        return AccessPolicy(
            owner_id=owner_id,
            owner_key=owner_key,
            record_id=record_id,
            made_at=made_at,
            ways=self.ways,
            devices=self.devices,
            authority=self.authority,
            waiting_seconds=self.waiting_seconds,
        )

    @property
    def factors(self) -> frozenset[Factor]:
        """All that some way needs."""
        return frozenset(chain.from_iterable(self.ways))


def read_ways(text: str) -> tuple[tuple[Factor, ...], ...]:
    """The ways that an expression says, ascending.

    Raises:
        AccessExpressionInvalid: It says none.
    """
    from lark.exceptions import UnexpectedInput, UnexpectedToken

    if len(text) > EXPRESSION_MAX_CHARACTERS:
        raise AccessExpressionInvalid(EXPRESSION_MAX_CHARACTERS + 1)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        at = len(text) if ended else getattr(error, "pos_in_stream", None) or 0
        raise AccessExpressionInvalid(at + 1) from None
    sets = _sets(tree.children[0])
    least = {one for one in sets if not any(other < one for other in sets)}
    return tuple(sorted(tuple(sorted(one)) for one in least))


def expression_of(ways: tuple[tuple[Factor, ...], ...]) -> str:
    """Ways as they are said, each with the PIN first."""
    several = len(ways) > 1
    return " or ".join(
        f"({way_text(way)})" if several and len(way) > 1 else way_text(way)
        for way in sorted(ways, key=lambda way: (len(way), [FACTORS.index(one) for one in told(way)]))
    )


def way_text(way: tuple[Factor, ...]) -> str:
    """One way as it is said: "pin and device"."""
    return " and ".join(told(way))


def told(way: tuple[Factor, ...]) -> list[Factor]:
    """Its factors in the order in which people are told them."""
    return sorted(way, key=FACTORS.index)


def _sets(node: "_Node") -> frozenset[frozenset[Factor]]:
    """The normal form; an expression of 200 characters has no more than seven different sets anywhere."""
    from lark import Token

    if isinstance(node, Token):
        return frozenset({frozenset({cast("Factor", str(node).lower())})})
    parts = [_sets(child) for child in node.children]
    if node.data == "either":
        return frozenset(chain.from_iterable(parts))
    found = parts[0]
    for part in parts[1:]:
        found = frozenset(one | other for one in found for other in part)
    return found


@cache
def _parser() -> "Lark":
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr")
