"""A wallet believes the authority it pinned, by the seal its owner chose; a liar learns nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from kura.auth.v1 import auth_pb2 as pb
from rpc_edge.errors import NoAnswer
from support.safe_requests import seeded
from support.sample_authority import (
    COMMON,
    CREDENTIALS,
    DESCRIPTION,
    SEALING,
    SIGNED_DESCRIPTION,
    SIGNING,
)
from support.sample_documents import NOW, draw, key
from trust import authority_calls as calls
from trust.common_key import CommonKey, SignedKeyHalf, make_half
from trust.errors import AuthorityRefused
from trust.owner_information import QuestionSeal, open_common, open_static
from wallet_client.network.authority_link import AuthorityLink

LOGIN = "/kura.auth.v1.AuthService/Login"
SESSION = calls.Session(draw("token", 32), "anna", ("password",), NOW + 60)


class Feigned:
    """Stands in the place of the caller: an authority that answers as a test wants it."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.signer = SIGNING
        self.identity = DESCRIPTION.identity_key
        self.half: Callable[[SignedKeyHalf], SignedKeyHalf] = lambda half: half
        self.answer: Callable[[bytes], bytes] = lambda sealed: sealed
        self.says = SESSION.to_bytes()
        self._common: CommonKey | None = None

    async def unsigned(self, method: str, request: Any, response: Any, timeout: float) -> Any:
        name = method.rpartition("/")[2]
        self.heard.append((name, request))
        if name == "Describe":
            return pb.DescribeResponse(authority=SIGNED_DESCRIPTION.to_bytes())
        if name == "OpenPath":
            made = make_half(
                self.identity, request.wallet_half, draw("e", 32), draw("p", 16), NOW, self.signer
            )
            self._common = made[1]
            return pb.OpenPathResponse(half=self.half(made[0]).to_bytes())
        return response(answer=self.answer(self._key(request.question).seal(self.says)))

    def _key(self, question: pb.SealedQuestion) -> Any:
        if question.WhichOneof("seal") == "to_static_key":
            return open_static(question.to_static_key, SEALING, DESCRIPTION.identity_key, LOGIN)[1]
        assert self._common is not None
        return open_common(question.under_common_key.sealed, self._common, LOGIN)[1]


def link(feigned: Any, seal: QuestionSeal) -> AuthorityLink:
    return AuthorityLink(feigned, DESCRIPTION, seal, lambda: NOW * 1_000, seeded("link"))


async def log_in(feigned: Any, seal: QuestionSeal) -> calls.Session:
    return await link(feigned, seal).ask("Login", CREDENTIALS, calls.Session)


@pytest.mark.parametrize("seal", ["static", "common"])
async def test_an_honest_authority_is_understood(seal: QuestionSeal) -> None:
    feigned = Feigned()
    assert await log_in(feigned, seal) == SESSION
    assert await link(feigned, seal).describe() == SIGNED_DESCRIPTION


@pytest.mark.parametrize("seal", ["static", "common"])
async def test_the_password_crosses_in_no_message(seal: QuestionSeal) -> None:
    """Nor does the name."""
    feigned = Feigned()
    await log_in(feigned, seal)
    crossed = b"".join(request.SerializeToString() for _, request in feigned.heard)
    assert CREDENTIALS.password.encode() not in crossed
    assert CREDENTIALS.name.encode() not in crossed


def _signed_by_a_stranger(feigned: Feigned) -> None:
    feigned.signer = key("nobody's")


def _of_another_authority(feigned: Feigned) -> None:
    feigned.identity = draw("another", 32)  # type: ignore[assignment]


def _for_another_wallet(feigned: Feigned) -> None:
    other = make_half(DESCRIPTION.identity_key, SEALING.public, draw("e", 32), draw("p", 16), NOW, SIGNING)
    feigned.half = lambda _: other[0]


def _of_last_year(feigned: Feigned) -> None:
    old: list[SignedKeyHalf] = []

    def again(half: SignedKeyHalf) -> SignedKeyHalf:
        old.append(half)
        return old[0]

    feigned.half = again


HALVES = {
    "signed by a stranger": _signed_by_a_stranger,
    "of another authority": _of_another_authority,
    "made for another wallet": _for_another_wallet,
}


@pytest.mark.parametrize("lie", HALVES.values(), ids=HALVES)
async def test_a_half_that_is_not_the_authoritys_own_ends_it(lie: Callable[[Feigned], None]) -> None:
    """Nothing is sent under such a key, and nothing to the static one instead: there is no falling back."""
    feigned = Feigned()
    lie(feigned)
    with pytest.raises(AuthorityRefused):
        await log_in(feigned, "common")
    assert [name for name, _ in feigned.heard] == ["OpenPath"]


async def test_a_half_that_was_shown_before_is_refused() -> None:
    feigned = Feigned()
    _of_last_year(feigned)
    await log_in(feigned, "common")
    again = AuthorityLink(feigned, DESCRIPTION, "common", lambda: NOW * 1_000, seeded("again"))  # type: ignore[arg-type]
    with pytest.raises(AuthorityRefused, match="for somebody else"):
        await again.ask("Login", CREDENTIALS, calls.Session)


async def test_where_no_path_opens_the_password_stays() -> None:
    """Somebody on the way who lets no common key through does not get a question to the static key."""

    class Cut(Feigned):
        async def unsigned(self, method: str, request: Any, response: Any, timeout: float) -> Any:
            self.heard.append((method, request))
            raise NoAnswer(timeout)

    feigned = Cut()
    with pytest.raises(NoAnswer):
        await log_in(feigned, "common")
    assert len(feigned.heard) == 1


ANSWERS: dict[str, Callable[[bytes], bytes]] = {
    "changed": lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
    "cut short": lambda sealed: sealed[:10],
    "in clear": lambda _: SESSION.to_bytes(),
    "under another key": lambda _: open_and_seal(),
}


def open_and_seal() -> bytes:
    from trust.owner_information import ask, seal_under_common

    return seal_under_common(ask(LOGIN, b"", NOW, seeded("x")), COMMON)[1].seal(SESSION.to_bytes())


@pytest.mark.parametrize("seal", ["static", "common"])
@pytest.mark.parametrize("change", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_by_who_could_not_open_the_question_is_refused(
    seal: QuestionSeal, change: Callable[[bytes], bytes]
) -> None:
    feigned = Feigned()
    feigned.answer = change
    with pytest.raises(AuthorityRefused, match="does not open"):
        await log_in(feigned, seal)


async def test_an_answer_that_is_something_else_is_refused() -> None:
    feigned = Feigned()
    feigned.says = calls.Done(NOW).to_bytes()
    with pytest.raises(AuthorityRefused, match="does not open"):
        await log_in(feigned, "static")
