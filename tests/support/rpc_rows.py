"""What a row of tests/support/rpc_table.py is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message

from support.two_owners import AtAuthority, AtSafes
from trust.documents import Document, SigningKey
from trust.refusals import Refusal


@dataclass(frozen=True)
class Entry:
    """The call is answered, and its one entry is refused."""

    refusal: type[Refusal]


ANSWERED: Final = "answered about the caller alone"
"""Nothing in the answer is Anna's."""

Outcome = type[Refusal] | Entry | str
Ask = Callable[[AtSafes, SigningKey], Sequence[Message] | Message]
"""Makes the messages of a call that asks for what is Anna's, in the name of a key."""


@dataclass(frozen=True)
class Open:
    """A method that anybody may call, without a signature.

    Args:
        outcome: What it comes to; an answer may well be about Anna.
        spoilt: What it comes to with a proof that does not hold, where it looks at one.
    """

    ask: Ask
    outcome: Outcome = ANSWERED
    spoilt: Outcome | None = None


@dataclass(frozen=True)
class Signed:
    """A method that only signed calls reach.

    Args:
        may: Who may have what is asked for: "wallet", Anna's; "owner", herself; "new", a wallet that is to be
            hers. Their proofs are what others spoil.
        nobody: What a key gets that acts for no owner.
        owner: What another owner gets.
        theirs: What Anna's gets.
        other_wallet: What a wallet of another owner gets; None: what that owner gets.
    """

    may: str
    ask: Ask
    nobody: Outcome
    owner: Outcome
    theirs: Outcome = ANSWERED
    other_wallet: Outcome | None = None


@dataclass(frozen=True)
class Peer:
    """A method of the peers' port.

    Args:
        ask: Asks for what is not for the third safe to have.
        refused: What it gets.
        at: "first", or "holder" for the one safe that keeps something of the batch `alone`.
    """

    ask: Callable[[AtSafes], Message]
    refused: type[Refusal]
    at: str = "first"


@dataclass(frozen=True)
class Sealed:
    """A method of an authority that takes a sealed question.

    Args:
        ask: What is asked, with the token of a session.
        made_up: What comes of a token that nobody was given, or that is over.
        other: What comes of a token of Bert's.
    """

    ask: Callable[[AtAuthority, bytes], Document]
    made_up: Outcome
    other: Outcome


@dataclass(frozen=True)
class Clear:
    """A method of an authority that anybody may call in clear; it says nothing of owners.

    Args:
        outcome: What an empty request comes to.
    """

    outcome: Outcome


@dataclass(frozen=True)
class Token:
    """A method of a wallet: whoever has the token, or may open its socket."""


Row = Open | Signed | Peer | Sealed | Clear | Token
