"""A record is opened by r and the right PIN together, and by nothing else; a proof is for one safe."""

from typing import Any

import pytest
from msgspec.structs import replace

from support.messagepack import pack, plain
from support.sample_documents import SAFE_IDS, draw, hash_of, key
from support.sample_owner import (
    CHANGING_SECRETS,
    GUESS_ID,
    OPRF_OUTPUT,
    OWNER,
    OWNER_ID,
    PART,
    RECIPIENT,
    RECORD,
    RECORD_ID,
    SEALED_PART,
    SEALED_SECRETS,
    SECRETS,
    TAG,
    UNLOCK_PROOF,
    UNLOCK_SECRET,
)
from threshold import hpke, sealing
from threshold.errors import InvalidLength, SealBroken
from trust import owner_record
from trust.documents import DocumentProblem
from trust.errors import DocumentMalformed
from trust.ids import GuessId, OwnerId, OwnerKey, RecordId, SafeId
from trust.owner_record import (
    RELEASE_INFO,
    SEALED_BYTES,
    OwnerRecord,
    OwnerSecrets,
    RecordPlace,
    ReleasedPart,
    WaySecrets,
    open_secrets,
    release_label,
    seal_secrets,
    sealed_hash,
)
from trust.unlock_proof import is_unlock_proof, unlock_proof, unlock_tag

SAFE = SAFE_IDS[0]
OTHER_RECORD = RecordId(draw("another record", 16))
COMMITMENTS = RECORD.unlock_commitments
LABEL = release_label(SAFE, GUESS_ID, RECORD_ID)


def flipped(content: bytes, position: int = -1) -> bytes:
    """With one bit turned."""
    changed = bytearray(content)
    changed[position] ^= 1
    return bytes(changed)


class TestTheRecord:
    """It contradicts itself nowhere, or it is none."""

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            pytest.param({"k": 2}, "k: not exactly k commitments", id="fewer parts than commitments"),
            pytest.param({"k": 4}, "k: not exactly k commitments", id="more parts than commitments"),
            pytest.param(
                {"unlock_commitments": COMMITMENTS[:2]}, "k: not exactly k", id="a commitment to r is missing"
            ),
            pytest.param(
                {"oprf_commitments": (*COMMITMENTS, bytes(32))},
                "k: not exactly k",
                id="a commitment to the OPRF key too many",
            ),
            pytest.param(
                {"places": RECORD.places[:2]}, "k: more parts needed than kept", id="no k safes keep a part"
            ),
            pytest.param(
                {"places": (*RECORD.places[:4], RecordPlace(1, SAFE_IDS[4]))},
                "places: an index stands twice",
                id="two safes at one index",
            ),
            pytest.param(
                {"places": (*RECORD.places[:4], RecordPlace(6, SAFE_IDS[0]))},
                "places: a safe stands twice",
                id="one safe at two indices",
            ),
        ],
    )
    def test_a_contradiction_is_refused(self, fields: dict[str, Any], says: str) -> None:
        """When it is built and when it is read."""
        with pytest.raises(DocumentProblem, match=says):
            replace(RECORD, **fields)
        elements = plain(RECORD)
        assert isinstance(elements, list)
        names = OwnerRecord.__struct_fields__
        data = [
            plain(fields[name]) if name in fields else element
            for name, element in zip(names, elements, strict=True)
        ]
        with pytest.raises(DocumentMalformed, match=says):
            OwnerRecord.from_bytes(pack(data))

    def test_as_many_parts_as_safes_may_be_needed(self) -> None:
        """And the indices need not begin at 1 nor rise."""
        places = (RecordPlace(255, SAFE_IDS[0]), RecordPlace(7, SAFE_IDS[1]), RecordPlace(9, SAFE_IDS[2]))
        record = replace(RECORD, places=places)
        assert OwnerRecord.from_bytes(record.to_bytes()) == record

    def test_a_safe_has_the_index_of_its_place(self) -> None:
        """A safe that keeps nothing has none."""
        assert [RECORD.x_at(safe_id) for safe_id in SAFE_IDS] == [1, 2, 3, 4, 5]
        assert RECORD.x_at(SafeId(draw("a stranger", 16))) is None


class TestTheSecrets:
    """They are what the record protects."""

    def test_they_are_as_long_with_a_leaving_root_as_without(self) -> None:
        """So that nobody sees from outside that the root is being replaced."""
        sealed = [
            seal_secrets(secrets, WaySecrets(UNLOCK_SECRET, OPRF_OUTPUT), OWNER_ID, RECORD_ID)
            for secrets in (SECRETS, CHANGING_SECRETS)
        ]
        assert {len(one) for one in sealed} == {SEALED_BYTES}

    def test_the_root_in_force_comes_first(self) -> None:
        """The one that leaves is there only while something is bound to it."""
        assert SECRETS.roots == (SECRETS.root,)
        assert CHANGING_SECRETS.roots == (CHANGING_SECRETS.root, SECRETS.root)

    def test_the_owners_key_is_that_of_the_seed(self) -> None:
        """Ed25519, as every signing key."""
        assert SECRETS.signing_key == OWNER
        assert SECRETS.owner_key == OWNER.public == RECORD.owner_key

    @pytest.mark.parametrize("document", [SECRETS, CHANGING_SECRETS, PART], ids=["secrets", "both", "part"])
    def test_they_do_not_show(self, document: OwnerSecrets | ReleasedPart) -> None:
        """Neither they nor a part."""
        assert repr(document) == f"<{type(document).__name__} redacted>"

    @pytest.mark.parametrize("secrets", [SECRETS, CHANGING_SECRETS], ids=["one root", "two roots"])
    def test_r_and_the_output_of_the_pin_open_them(self, secrets: OwnerSecrets) -> None:
        """Under the record they were sealed for."""
        sealed = seal_secrets(secrets, WaySecrets(UNLOCK_SECRET, OPRF_OUTPUT), OWNER_ID, RECORD_ID)
        assert open_secrets(sealed, WaySecrets(UNLOCK_SECRET, OPRF_OUTPUT), RECORD) == secrets

    @pytest.mark.parametrize(
        ("sealed", "unlock_secret", "output", "record"),
        [
            pytest.param(
                SEALED_SECRETS, flipped(UNLOCK_SECRET), OPRF_OUTPUT, RECORD, id="k parts of another r"
            ),
            pytest.param(SEALED_SECRETS, UNLOCK_SECRET, flipped(OPRF_OUTPUT), RECORD, id="another PIN"),
            pytest.param(
                SEALED_SECRETS,
                UNLOCK_SECRET,
                OPRF_OUTPUT,
                replace(RECORD, record_id=OTHER_RECORD),
                id="another record of the owner",
            ),
            pytest.param(
                SEALED_SECRETS,
                UNLOCK_SECRET,
                OPRF_OUTPUT,
                replace(RECORD, owner_id=OwnerId(hash_of("another owner"))),
                id="another owner's record",
            ),
            pytest.param(
                SEALED_SECRETS,
                UNLOCK_SECRET,
                OPRF_OUTPUT,
                replace(RECORD, owner_key=OwnerKey(key("stranger").public)),
                id="a record that names another owner key",
            ),
            pytest.param(SEALED_SECRETS[:-1], UNLOCK_SECRET, OPRF_OUTPUT, RECORD, id="one byte missing"),
            pytest.param(b"", UNLOCK_SECRET, OPRF_OUTPUT, RECORD, id="nothing"),
        ],
    )
    def test_anything_else_does_not(
        self, sealed: bytes, unlock_secret: bytes, output: bytes, record: OwnerRecord
    ) -> None:
        """By one error, with nothing behind it."""
        with pytest.raises(SealBroken) as refusal:
            open_secrets(sealed, WaySecrets(unlock_secret, output), record)
        assert refusal.value.__cause__ is None

    @pytest.mark.parametrize("position", [0, 40, 102, 103, 118])
    def test_no_byte_of_them_can_be_changed(self, position: int) -> None:
        """Neither in the secrets nor in the tag."""
        with pytest.raises(SealBroken):
            open_secrets(flipped(SEALED_SECRETS, position), WaySecrets(UNLOCK_SECRET, OPRF_OUTPUT), RECORD)

    def test_what_is_sealed_and_is_no_secrets_is_refused_alike(self) -> None:
        """Whoever can seal so has the key already; the reader must not fail in another way."""
        key_of_record = owner_record._record_key(WaySecrets(UNLOCK_SECRET, OPRF_OUTPUT), OWNER_ID, RECORD_ID)
        sealed = sealing.seal(key_of_record, b"no secrets", OWNER_ID + RECORD_ID)
        with pytest.raises(SealBroken):
            open_secrets(sealed, WaySecrets(UNLOCK_SECRET, OPRF_OUTPUT), RECORD)

    @pytest.mark.parametrize(
        ("unlock_secret", "output", "error"),
        [
            pytest.param(
                UNLOCK_SECRET[:31], OPRF_OUTPUT, InvalidLength("unlock secret", 31, 32), id="a short r"
            ),
            pytest.param(
                UNLOCK_SECRET + OPRF_OUTPUT[:1],
                OPRF_OUTPUT[1:],
                InvalidLength("unlock secret", 33, 32),
                id="a byte that slid from the output to r",
            ),
            pytest.param(
                UNLOCK_SECRET, OPRF_OUTPUT[:32], InvalidLength("OPRF output", 32, 64), id="half an output"
            ),
        ],
    )
    def test_inputs_of_another_length_derive_no_key(
        self, unlock_secret: bytes, output: bytes, error: InvalidLength
    ) -> None:
        """Lengths are what keeps the joined inputs apart."""
        for attempt in (
            lambda: seal_secrets(SECRETS, WaySecrets(unlock_secret, output), OWNER_ID, RECORD_ID),
            lambda: open_secrets(SEALED_SECRETS, WaySecrets(unlock_secret, output), RECORD),
        ):
            with pytest.raises(InvalidLength) as refusal:
                attempt()
            assert vars(refusal.value) == vars(error)

    def test_the_record_names_them_by_their_hash(self) -> None:
        """So that a safe cannot release others."""
        assert sealed_hash(SEALED_SECRETS) == RECORD.sealed_hash
        assert sealed_hash(flipped(SEALED_SECRETS)) != RECORD.sealed_hash


class TestTheProof:
    """It shows one safe that the PIN of one guess was right, for one recipient."""

    def test_it_holds(self) -> None:
        """For what it was made for."""
        assert unlock_proof(TAG, SAFE, GUESS_ID, RECIPIENT.public, RECORD_ID) == UNLOCK_PROOF
        assert is_unlock_proof(UNLOCK_PROOF, TAG, SAFE, GUESS_ID, RECIPIENT.public, RECORD_ID)

    @pytest.mark.parametrize(
        ("tag", "safe_id", "guess_id", "recipient", "record_id"),
        [
            pytest.param(
                flipped(TAG), SAFE, GUESS_ID, RECIPIENT.public, RECORD_ID, id="under the tag of another PIN"
            ),
            pytest.param(
                unlock_tag(OPRF_OUTPUT, SAFE_IDS[1], RECORD_ID),
                SAFE,
                GUESS_ID,
                RECIPIENT.public,
                RECORD_ID,
                id="under another safe's tag",
            ),
            pytest.param(TAG, SAFE_IDS[1], GUESS_ID, RECIPIENT.public, RECORD_ID, id="shown to another safe"),
            pytest.param(
                TAG, SAFE, GuessId(draw("another guess", 16)), RECIPIENT.public, RECORD_ID, id="another guess"
            ),
            pytest.param(
                TAG, SAFE, GUESS_ID, draw("another recipient", 32), RECORD_ID, id="another recipient"
            ),
            pytest.param(TAG, SAFE, GUESS_ID, RECIPIENT.public, OTHER_RECORD, id="another record"),
        ],
    )
    def test_it_holds_for_nothing_else(
        self, tag: bytes, safe_id: SafeId, guess_id: GuessId, recipient: bytes, record_id: RecordId
    ) -> None:
        """Whoever sees it has no use for it."""
        assert not is_unlock_proof(UNLOCK_PROOF, tag, safe_id, guess_id, recipient, record_id)

    @pytest.mark.parametrize("proof", [b"", UNLOCK_PROOF[:31], UNLOCK_PROOF + b"\0", flipped(UNLOCK_PROOF)])
    def test_another_proof_does_not_hold(self, proof: bytes) -> None:
        """Of whatever length: a safe need not measure it first."""
        assert not is_unlock_proof(proof, TAG, SAFE, GUESS_ID, RECIPIENT.public, RECORD_ID)

    @pytest.mark.parametrize(
        ("guess_id", "recipient", "error"),
        [
            pytest.param(
                GUESS_ID[:15], GUESS_ID[15:] + RECIPIENT.public, InvalidLength("guess id", 15, 16), id="guess"
            ),
            pytest.param(
                GUESS_ID, RECIPIENT.public[:31], InvalidLength("recipient key", 31, 32), id="recipient"
            ),
        ],
    )
    def test_what_comes_from_the_wire_has_its_length(
        self, guess_id: bytes, recipient: bytes, error: InvalidLength
    ) -> None:
        """Else one message would be another one, cut elsewhere."""
        with pytest.raises(InvalidLength) as refusal:
            is_unlock_proof(UNLOCK_PROOF, TAG, SAFE, GuessId(guess_id), recipient, RECORD_ID)
        assert vars(refusal.value) == vars(error)

    def test_every_safe_and_record_has_a_tag_of_its_own(self) -> None:
        """One that is stolen is of no use elsewhere, nor after the PIN was changed."""
        tags = {
            unlock_tag(OPRF_OUTPUT, one, record) for one in SAFE_IDS for record in (RECORD_ID, OTHER_RECORD)
        }
        assert len(tags) == 10
        assert {len(tag) for tag in tags} == {32}

    def test_a_tag_needs_the_whole_output(self) -> None:
        """64 bytes."""
        with pytest.raises(InvalidLength):
            unlock_tag(OPRF_OUTPUT[:63], SAFE, RECORD_ID)


class TestTheReleasedPart:
    """It is for one recipient, of one guess."""

    def test_the_recipient_opens_it(self) -> None:
        """Kept bytes, since HPKE seals differently each time."""
        opened = hpke.open_sealed(RECIPIENT, SEALED_PART, RELEASE_INFO, LABEL)
        assert ReleasedPart.from_bytes(opened) == PART

    @pytest.mark.parametrize(
        "label",
        [
            pytest.param(release_label(SAFE_IDS[1], GUESS_ID, RECORD_ID), id="another safe's"),
            pytest.param(
                release_label(SAFE, GuessId(draw("another guess", 16)), RECORD_ID), id="another guess"
            ),
            pytest.param(release_label(SAFE, GUESS_ID, OTHER_RECORD), id="another record's"),
        ],
    )
    def test_it_is_bound_to_safe_guess_and_record(self, label: bytes) -> None:
        """A part cannot be passed off as another's."""
        assert len(label) == 48
        with pytest.raises(SealBroken):
            hpke.open_sealed(RECIPIENT, SEALED_PART, RELEASE_INFO, label)
