"""Somebody who bought some safes, and uses all that these ever saw of repairs to find a share or the secret.

All that travels in a repair is linear in what nobody told: the polynomial's coefficients, and the honest
helpers' pads. So the attacker writes down every equation its safes know and solves the system. What the
system does not determine, no cleverness finds; what it determines, this finds.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from threshold.gf256_plan import invert_public, multiply_public
from trust.repair_session import RepairSession

ORDER = 2**252 + 27742317777372353535851937790883648493

Unknown = tuple[object, ...]
"""("coefficient", m), or ("pad", session id, from x, to x)."""


@dataclass(frozen=True)
class Field:
    """Where shares live."""

    add: Callable[[int, int], int]
    subtract: Callable[[int, int], int]
    multiply: Callable[[int, int], int]
    invert: Callable[[int], int]

    def power(self, x: int, exponent: int) -> int:
        result = 1
        for _ in range(exponent):
            result = self.multiply(result, x)
        return result

    def weight(self, x: int, helpers: Sequence[int], at: int) -> int:
        """Lagrange's."""
        result = 1
        for other in helpers:
            if other != x:
                above, below = self.subtract(at, other), self.subtract(x, other)
                result = self.multiply(result, self.multiply(above, self.invert(below)))
        return result


BYTES = Field(lambda a, b: a ^ b, lambda a, b: a ^ b, multiply_public, invert_public)
SCALARS = Field(
    lambda a, b: (a + b) % ORDER,
    lambda a, b: (a - b) % ORDER,
    lambda a, b: a * b % ORDER,
    lambda a: pow(a, -1, ORDER),
)


@dataclass(frozen=True)
class Message:
    """One message of a repair.

    Args:
        kind: "sum": `giver` to who lost the share; "summand": `giver` to another helper.
        giver: Share index of who sent it.
        taker: Share index of who got it.
        content: As a number of the field.
    """

    kind: str
    session: RepairSession
    giver: int
    taker: int
    content: int


@dataclass
class Attacker:
    """What the bought safes know.

    Args:
        numbers: The field.
        k: The threshold.
        bought: Their share indices.
    """

    numbers: Field
    k: int
    bought: Collection[int]
    equations: list[tuple[dict[Unknown, int], int]] = field(default_factory=list)

    def knows_share(self, x: int, share: int) -> None:
        """What a bought safe has in its database."""
        self._learn(self._share(x, 1), share)

    def knows_pad(self, session: RepairSession, giver: int, to: int, pad: int) -> None:
        """What a bought helper drew."""
        self._learn({("pad", session.session_id, giver, to): 1}, pad)

    def sees(self, message: Message) -> None:
        """What a bought safe sent or got; other messages are sealed by TLS."""
        if not {message.giver, message.taker} & set(self.bought):
            return
        session, helpers = message.session, [helper.x for helper in message.session.helpers]
        if message.kind == "summand":
            self._learn({("pad", session.session_id, message.giver, message.taker): 1}, message.content)
            return
        terms: dict[Unknown, int] = {}
        for giver in helpers:
            if giver != message.giver:
                self._put(terms, ("pad", session.session_id, giver, message.giver), 1)
        weight = self.numbers.weight(message.giver, helpers, session.x)
        for name, factor in self._share(message.giver, weight).items():
            self._put(terms, name, factor)
        for to in helpers:
            if to != message.giver:
                minus = self.numbers.subtract(0, 1)
                self._put(terms, ("pad", session.session_id, message.giver, to), minus)
        self._learn(terms, message.content)

    def share_at(self, x: int) -> int | None:
        """f(x), if what is known determines it; the secret at 0."""
        wanted = self._share(x, 1)
        names = sorted({name for terms, _ in self.equations for name in terms} | set(wanted), key=repr)
        rows = [[terms.get(name, 0) for name in names] + [value] for terms, value in self.equations]
        reduced = self._eliminated(rows, len(names))
        target = [wanted.get(name, 0) for name in names] + [0]
        for row in reduced:
            lead = next(at for at, factor in enumerate(row) if factor)
            if lead < len(names) and target[lead]:
                factor = target[lead]
                target = [
                    self.numbers.subtract(one, self.numbers.multiply(factor, other))
                    for one, other in zip(target, row, strict=True)
                ]
        return None if any(target[:-1]) else self.numbers.subtract(0, target[-1])

    def _eliminated(self, rows: list[list[int]], width: int) -> list[list[int]]:
        numbers, done = self.numbers, 0
        for column in range(width):
            pivot = next((at for at in range(done, len(rows)) if rows[at][column]), None)
            if pivot is None:
                continue
            rows[done], rows[pivot] = rows[pivot], rows[done]
            inverse = numbers.invert(rows[done][column])
            rows[done] = [numbers.multiply(inverse, factor) for factor in rows[done]]
            for at, row in enumerate(rows):
                if at != done and row[column]:
                    factor = row[column]
                    rows[at] = [
                        numbers.subtract(one, numbers.multiply(factor, other))
                        for one, other in zip(row, rows[done], strict=True)
                    ]
            done += 1
        assert not any(row[-1] for row in rows[done:]), "what the safes saw contradicts itself"
        return rows[:done]

    def _share(self, x: int, factor: int) -> dict[Unknown, int]:
        return {
            ("coefficient", power): self.numbers.multiply(factor, self.numbers.power(x, power))
            for power in range(self.k)
        }

    def _put(self, terms: dict[Unknown, int], name: Unknown, factor: int) -> None:
        terms[name] = self.numbers.add(terms.get(name, 0), factor)

    def _learn(self, terms: Mapping[Unknown, int], value: int) -> None:
        self.equations.append((dict(terms), value))
