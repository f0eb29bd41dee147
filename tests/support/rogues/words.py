"""What a rogue shows a safe of an authority and of a device: true, forged, kept, mixed up.

Who has neither the authority's key nor the device does the same with its own.
"""

from dataclasses import replace
from typing import Any

from msgspec import structs

from support.factors import login_of, signed_by
from support.rogues.hands import Foiled, Why
from support.rogues.records import Attack, Showing
from support.rogues.scene import ACCOUNT
from support.safe_process import now_ms
from support.sample_documents import draw, key
from threshold.hpke import KeyPair
from trust.assertion import Assertion, SignedAssertion, sign_assertion
from trust.authority import SignedAuthority, SigningPeriod, describe_authority, identity_of
from trust.authority_calls import AssertionWish, Credentials, Granted, Session
from trust.device_proof import DeviceProof, SafeChallenge, sign_challenge
from trust.documents import SigningKey
from trust.ids import OwnerId

OWN = key("a rogue's own")
"""A key that no authority and no safe ever named."""
OWN_IDENTITY = key("a rogue's own authority")


def _asserted(attack: Attack, signer: SigningKey, **changes: Any) -> SignedAssertion:
    """For this guess, to the safe that is asked, from now on."""
    scene, guess, now = attack.scene, attack.guess, now_ms() // 1_000
    assertion = Assertion(
        assertion_id=draw(f"assertion for {guess.guess_id.hex()}", 16),
        authority=scene.description.identity_key,
        owner_id=guess.record.owner_id,
        genesis=scene.roster.fingerprint,
        audience=tuple(sorted(one.safe_id for one in scene.roster.safes)),
        login=login_of(guess).hash(),
        methods=("password",),
        issued_at=now,
        expires_at=now + 300,
    )
    return sign_assertion(structs.replace(assertion, **changes), signer)


def _shown(word: SignedAssertion, authority: SignedAuthority) -> dict[str, bytes]:
    return {"assertion": word.to_bytes(), "authority": authority.to_bytes()}


def word(**changes: Any) -> Showing:
    """By the authority's real signing key, for this guess; who has it not signs with its own."""

    async def show(attack: Attack) -> dict[str, bytes]:
        signer = attack.hand.signing or OWN
        return _shown(_asserted(attack, signer, **changes), attack.scene.described)

    return show


async def word_for_another(attack: Attack) -> dict[str, bytes]:
    """The real key, and another owner's name."""
    return await word(owner_id=OwnerId(draw("another owner", 32)))(attack)


async def word_for_another_key(attack: Attack) -> dict[str, bytes]:
    """The real key, for another recipient than the guess's."""
    login = replace(login_of(attack.guess), recipient_key=KeyPair(draw("another recipient", 32)).public)
    return await word(login=login.hash())(attack)


async def word_for_another_guess(attack: Attack) -> dict[str, bytes]:
    """The real key, for a guess of the same owner's that somebody else makes."""
    return await word(login=login_of(attack.other_guess()).hash())(attack)


async def word_for_another_safe(attack: Attack) -> dict[str, bytes]:
    """The real key, for every safe but the one that is asked."""
    others = sorted(
        one.safe_id for one in attack.scene.roster.safes if one.safe_id != attack.door.entry.safe_id
    )
    return await word(audience=tuple(others))(attack)


async def word_of_yesterday(attack: Attack) -> dict[str, bytes]:
    """The real key, and a time that is over."""
    then = now_ms() // 1_000 - 86_400
    return await word(issued_at=then, expires_at=then + 300)(attack)


async def word_by_identity(attack: Attack) -> dict[str, bytes]:
    """Signed by the key that signs what an authority says of itself, and no assertions."""
    return _shown(_asserted(attack, attack.hand.identity or OWN), attack.scene.described)


async def word_by_new_key(attack: Attack) -> dict[str, bytes]:
    """A further description, really signed by the identity, names a signing key of the rogue's."""
    now = now_ms() // 1_000
    description = structs.replace(
        attack.scene.description,
        version=attack.scene.description.version + 1,
        signing_keys=(SigningPeriod(OWN.public, now - 60, now + 3_600),),
    )
    return _shown(_asserted(attack, OWN), describe_authority(description, attack.hand.identity or OWN))


async def word_of_own_authority(attack: Attack) -> dict[str, bytes]:
    """All in order, by an authority that the rogue made and that no policy names."""
    now = now_ms() // 1_000
    description = structs.replace(
        attack.scene.description,
        identity_key=identity_of(OWN_IDENTITY),
        signing_keys=(SigningPeriod(OWN.public, now - 60, now + 3_600),),
    )
    signed = _asserted(attack, OWN, authority=identity_of(OWN_IDENTITY))
    return _shown(signed, describe_authority(description, OWN_IDENTITY))


async def word_shown_twice(attack: Attack) -> dict[str, bytes]:
    """The word under which another guess was spent a moment ago."""
    before = replace(attack, guess=attack.other_guess())
    return await _spent_on(before, await word()(before))


async def word_of_the_service(attack: Attack) -> dict[str, bytes]:
    """What the running authority itself asserts, once somebody logs in with a password."""
    link, guess = attack.scene.link, attack.guess
    password = attack.hand.password or f"a guess at it {attack.number}"
    session = await link.ask("Login", Credentials(ACCOUNT, password), Session)
    audience = tuple(sorted(one.safe_id for one in attack.scene.roster.safes))
    wish = AssertionWish(session.token, attack.scene.roster.fingerprint, audience, login_of(guess).hash())
    granted = await link.ask("Assert", wish, Granted)
    signed = SignedAssertion.from_bytes(granted.assertion)
    return _shown(signed, attack.scene.described)


def touch_for(**changes: Any) -> Showing:
    """The device signs, for another guess than the one that it is shown with."""

    async def show(attack: Attack) -> dict[str, bytes]:
        challenge = await attack.challenge()
        return _proof(signed_by(attack.device, [challenge], attack.guess, **changes))

    return show


def touch_by(**changes: Any) -> Showing:
    """A device that is like the victim's, but for this."""

    async def show(attack: Attack) -> dict[str, bytes]:
        device = replace(attack.device, **changes)
        return _proof(signed_by(device, [await attack.challenge()], attack.guess))

    return show


async def touch_by_a_copy(attack: Attack) -> dict[str, bytes]:
    """The device signed and was taken a moment ago; its copy counts from the beginning."""
    before = replace(attack, guess=attack.other_guess())
    touched = signed_by(attack.device, [await attack.challenge()], before.guess)
    await _spent_on(before, await word()(before) | _proof(touched))
    return await touch_by(counter=0)(attack)


async def touch_for_another_safe(attack: Attack) -> dict[str, bytes]:
    """Over the challenge of another safe."""
    doors = attack.scene.doors
    other = replace(attack, door=doors[(doors.index(attack.door) + 1) % len(doors)])
    return _proof(signed_by(attack.device, [await other.challenge()], attack.guess))


async def touch_for_another_owner(attack: Attack) -> dict[str, bytes]:
    """Over a challenge that the safe gave for somebody else."""
    victims = attack.scene.victims
    other = victims[(victims.index(attack.victim) + 1) % len(victims)]
    guess = replace(attack.guess, record=other.owner.records[attack.guess.way])
    return _proof(signed_by(attack.device, [await replace(attack, guess=guess).challenge()], attack.guess))


async def touch_over_own_challenge(attack: Attack) -> dict[str, bytes]:
    """The safe's challenge, signed by the rogue in its place."""
    given = await attack.challenge()
    forged = sign_challenge(SafeChallenge.from_bytes(given.challenge), OWN)
    return _proof(signed_by(attack.device, [forged], attack.guess))


async def touch_shown_twice(attack: Attack) -> dict[str, bytes]:
    """The challenge was answered a moment ago, for another guess, which was spent."""
    before = replace(attack, guess=attack.other_guess())
    challenge = await attack.challenge()
    await _spent_on(before, _proof(signed_by(attack.device, [challenge], before.guess)))
    return _proof(signed_by(attack.device, [challenge], attack.guess))


async def touch_without_signature(attack: Attack) -> dict[str, bytes]:
    """The device's own proof with a bit of its signature changed."""
    proof = signed_by(attack.device, [await attack.challenge()], attack.guess)
    spoilt = proof.signature[:-1] + bytes([proof.signature[-1] ^ 1])
    return _proof(structs.replace(proof, signature=spoilt))


async def _spent_on(attack: Attack, shown: dict[str, bytes]) -> dict[str, bytes]:
    """Have the safe take this for a guess; else the try shows nothing."""
    answer = await attack.door.ask(attack.guess.request(**shown))
    if answer.record_id != attack.guess.record.record_id:
        raise Foiled(Why.TOO_LITTLE)
    return shown


def _proof(proof: DeviceProof) -> dict[str, bytes]:
    return {"device_proof": proof.to_bytes()}
