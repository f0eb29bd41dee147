"""The pinned bytes and the page that explains them are what the code writes."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key
from Crypto.Protocol.KDF import HKDF
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from support.document_vectors import vectors
from support.every_document import DOCUMENTS, SIGNED
from support.sample_documents import TOMBSTONE_BYTES, TOMBSTONE_SIGNATURE, WALLET, draw
from threshold.hpke import derive_key_pair
from trust import (
    access_policy,
    assertion,
    authorisation,
    authority,
    authority_calls,
    certificate,
    collected,
    common_key,
    device_proof,
    digest,
    envelope,
    grant,
    key_algorithm,
    manifest,
    owner_information,
    owner_record,
    policy,
    repair_session,
    request,
    roster,
    tombstone,
    value_fields,
)
from trust.certificate import CertificateHead
from trust.documents import Document
from trust.ids import Hash, SafeId
from trust.request import RequestProof, verify_request
from trust.roster import verify_chain
from trust.roster_file import read_roster
from wallet_client.storage.keyring import KeyDocument

ROOT = Path(__file__).parents[3]
PINNED: dict[str, Any] = json.loads((ROOT / "tests" / "vectors" / "kura_documents.json").read_text())
PAGE = (ROOT / "docs" / "FORMATS.md").read_text()
EXAMPLES = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
MODULES = (
    access_policy,
    assertion,
    authorisation,
    authority,
    authority_calls,
    certificate,
    collected,
    common_key,
    device_proof,
    digest,
    envelope,
    grant,
    key_algorithm,
    manifest,
    owner_information,
    owner_record,
    policy,
    repair_session,
    request,
    roster,
    tombstone,
    value_fields,
)
LABELLED = ("threshold", "trust", "wallet_client/pipeline", "wallet_client/owners")
"""Where keys and hashes of the formats are derived."""


def documents() -> dict[str, type[Document]]:
    """Every type of document there is in `trust`."""
    kinds = [kind for module in MODULES for kind in vars(module).values()]
    return {
        kind.__name__: kind
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, Document) and kind is not Document
    }


def example_bytes(example: str) -> bytes:
    """The hexadecimal at the start of each line, without the remark behind two spaces."""
    return bytes.fromhex("".join(line.split("  ")[0] for line in example.splitlines()))


def root_of(leaf_hashes: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1 as it is written there, by recursion."""
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    split = 1
    while split * 2 < len(leaf_hashes):
        split *= 2
    return sha256(b"\x01" + root_of(leaf_hashes[:split]) + root_of(leaf_hashes[split:])).digest()


def test_the_samples_still_have_their_pinned_bytes() -> None:
    """Receipts and rosters given out are kept for years: see "why" in the file."""
    assert vectors() == PINNED


@pytest.mark.parametrize("name", PINNED["documents"])
def test_pinned_bytes_are_read(name: str) -> None:
    """By the type they are of, as the document they are."""
    pinned = PINNED["documents"][name]
    kind = documents()[pinned["type"]]
    assert kind.from_bytes(bytes.fromhex(pinned["bytes"])) == DOCUMENTS[name]


def test_every_type_of_document_is_pinned() -> None:
    """But the request, which never travels: its signature is pinned instead."""
    pinned = {pinned["type"] for pinned in PINNED["documents"].values()}
    assert pinned | {"SignedRequest"} == set(documents())


@pytest.mark.parametrize("title", PINNED["signatures"])
def test_pinned_signatures_hold(title: str) -> None:
    """By another library, from the file alone, over the bytes that the page states."""
    pinned = PINNED["signatures"][title]
    key = PINNED["keys"][pinned["signer"]]
    public = bytes.fromhex(key["public"])
    body = bytes.fromhex(PINNED["documents"][pinned["document"]]["bytes"])
    message = b"kura/v1/" + title.encode("ascii") + b"\x00" + public + body
    Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(pinned["signature"]), message)
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["seed"]))
    assert private.sign(message).hex() == pinned["signature"]


def test_the_pinned_request_holds() -> None:
    """From the file alone."""
    pinned = PINNED["request"]
    proof = RequestProof.from_bytes(bytes.fromhex(pinned["proof"]))
    safe_id = SafeId(bytes.fromhex(pinned["safe_id"]))
    verify_request(proof, pinned["method"], safe_id, bytes.fromhex(pinned["body"]))


@pytest.mark.parametrize("name", PINNED["trees"])
def test_pinned_trees_are_those_of_the_rfc(name: str) -> None:
    """Leaf hashes, root and paths, computed here by recursion."""
    tree = PINNED["trees"][name]
    hashes = [sha256(b"\x00" + bytes.fromhex(leaf)).digest() for leaf in tree["leaves"]]
    assert [leaf.hex() for leaf in hashes] == tree["leaf_hashes"]
    assert root_of(hashes).hex() == tree["root"]
    pair = sha256(b"\x01" + hashes[0] + hashes[1]).digest()
    assert tree["paths"] == [
        [hashes[1].hex(), hashes[2].hex()],
        [hashes[0].hex(), hashes[2].hex()],
        [pair.hex()],
    ]


def test_the_pinned_value_is_its_head_and_its_payload() -> None:
    """From the bytes alone: a length, the pinned fields, and the rest."""
    pinned = PINNED["value"]
    encoding = bytes.fromhex(pinned["encoding"])
    end = 4 + int.from_bytes(encoding[:4], "big")
    assert encoding[4:end].hex() == PINNED["documents"][pinned["document"]]["bytes"]
    assert encoding[end:].hex() == pinned["payload"]


@pytest.mark.parametrize("item", range(3))
def test_pinned_pieces_are_cut_and_hashed_as_the_page_says(item: int) -> None:
    """From the label alone."""
    pinned = PINNED["pieces"][item]
    blob = draw(pinned["blob_label"], pinned["blob_length"])
    cut = [blob[start : start + 65_536] for start in range(0, len(blob), 65_536)]
    hashes = [sha256(b"\x00" + block).digest() for block in cut]
    assert [block.hex() for block in hashes] == pinned["block_hashes"]
    assert root_of(hashes).hex() == pinned["root"]
    assert pinned["root"] in PINNED["trees"]["item leaves"]["leaves"][item]


def test_the_pinned_roster_file_is_read_and_believed() -> None:
    """Under its pinned fingerprint."""
    pinned = PINNED["roster"]
    fingerprint = Hash(bytes.fromhex(pinned["fingerprint"]))
    assert verify_chain(read_roster(pinned["file"].encode()), fingerprint).version == 2


@pytest.mark.parametrize("number", range(5))
def test_pinned_decoys_open_as_the_page_says(number: int) -> None:
    """By another library, from the file alone: plain HPKE, the info of the page, no aad."""
    pinned = {name: bytes.fromhex(text) for name, text in PINNED["decoys"][number].items()}
    genesis = PINNED["documents"]["roster"]["fields"]
    assert genesis["safes"][number]["sealing_key"] == pinned["sealing_public"].hex()
    assert genesis["decoys"][number] == pinned["sealed"].hex()
    assert derive_key_pair(pinned["sealing_seed"]).private == pinned["sealing_private"]
    recipient = HPKE.new(
        receiver_key=import_x25519_private_key(pinned["sealing_private"]),
        aead_id=HPKE.AEAD.AES256_GCM,
        enc=pinned["sealed"][:32],
        info=(20).to_bytes(8, "big") + b"kura/v1/decoy-secret" + pinned["safe_id"],
    )
    assert recipient.unseal(pinned["sealed"][32:]) == pinned["secret"]


def test_the_pinned_envelope_opens_as_the_page_says() -> None:
    """By other libraries, from the file alone: HPKE, a key for each frame, then flags, lengths and zeros."""
    pinned = PINNED["envelope"]
    first, second = (bytes.fromhex(frame) for frame in pinned["requests"])
    reply, secret = bytes.fromhex(pinned["reply"]), bytes.fromhex(pinned["secret"])
    wrapped, salt = first[:80], reply[:32]
    recipient = HPKE.new(
        receiver_key=import_x25519_private_key(bytes.fromhex(pinned["sealing_private"])),
        aead_id=HPKE.AEAD.AES256_GCM,
        enc=wrapped[:32],
        info=(16).to_bytes(8, "big") + b"kura/v1/envelope" + bytes.fromhex(pinned["safe_id"]),
    )
    assert recipient.unseal(wrapped[32:]) == secret
    opening, outcome = (PINNED["documents"][f"envelope {name}"]["bytes"] for name in ("opening", "outcome"))
    messages = [bytes.fromhex(message) for message in (*pinned["messages"], pinned["answer"])]
    opened = [
        frame_of(secret, wrapped, b"request", 0, first[80:]),
        frame_of(secret, wrapped, b"request", 1, second),
        frame_of(secret, wrapped + salt, b"reply", 0, reply[32:]),
    ]
    assert opened == [
        (1, bytes.fromhex(opening), messages[0]),
        (3, b"", messages[1]),
        (3, bytes.fromhex(outcome), messages[2]),
    ]


def test_what_the_pinned_grant_collected_opens_as_the_page_says() -> None:
    """By other libraries, from the file alone: hashes of lists, HPKE, a key for each frame, the signature."""
    pinned = PINNED["collected"]
    body, safe_id, secret = (bytes.fromhex(pinned[name]) for name in ("grant", "safe_id", "secret"))
    fields = PINNED["documents"]["grant"]["fields"]
    for part, certificates in zip(fields["parts"], pinned["lists"], strict=True):
        listed = [bytes.fromhex(one) for one in certificates]
        joined = b"".join(len(one).to_bytes(4, "big") + one for one in listed)
        assert part["list_hash"] == sha256(b"kura/v1/granted-list\0" + joined).hexdigest()
    first, second, last = (bytes.fromhex(frame) for frame in pinned["frames"])
    wrapped, label = first[:80], b"kura/v1/collected"
    recipient = HPKE.new(
        receiver_key=import_x25519_private_key(bytes.fromhex(pinned["recipient_private"])),
        aead_id=HPKE.AEAD.AES256_GCM,
        enc=wrapped[:32],
        info=len(label).to_bytes(8, "big") + label + sha256(body).digest() + safe_id,
    )
    assert recipient.unseal(wrapped[32:]) == secret
    assert PINNED["documents"]["collected"]["fields"]["wrapped"] == wrapped.hex()
    signature = bytes.fromhex(PINNED["signatures"]["collected"]["signature"])
    messages = [bytes.fromhex(message) for message in pinned["messages"]]
    assert [
        frame_of(secret, wrapped, b"collected", 0, first[80:]),
        frame_of(secret, wrapped, b"collected", 1, second),
        frame_of(secret, wrapped, b"collected", 2, last),
    ] == [(1, signature, messages[0]), (1, b"", messages[1]), (2, b"", b"")]


def frame_of(
    secret: bytes, salt: bytes, direction: bytes, number: int, sealed: bytes
) -> tuple[int, bytes, bytes]:
    """Flags, head and message of a frame; what is behind them is zeros."""
    info = b"kura/v1/envelope-frame" + bytes([len(direction)]) + direction + number.to_bytes(8, "big")
    key = HKDF(secret, 32, salt, SHA256, context=info)
    cipher = AES.new(key, AES.MODE_GCM, nonce=bytes(12))
    plaintext = cipher.decrypt_and_verify(sealed[:-16], sealed[-16:])
    head = 7 + int.from_bytes(plaintext[1:3], "big")
    end = head + int.from_bytes(plaintext[3:7], "big")
    assert plaintext[end:] == bytes(1024 - end)
    return plaintext[0], plaintext[7:head], plaintext[head:end]


def test_the_page_names_every_label_of_a_derivation() -> None:
    """Another implementation needs each of them to the byte."""
    files = [path for folder in LABELLED for path in (ROOT / folder).rglob("*.py")]
    labels = {label for path in files for label in re.findall(r'b"(kura/v1/[a-z-]+)', path.read_text())}
    assert len(labels) > 12
    assert [label for label in sorted(labels) if label not in PAGE] == []


def on_the_page() -> dict[str, type[Document]]:
    """Those, and what a wallet seals when it backs up a key."""
    return documents() | {"KeyDocument": KeyDocument}


@pytest.mark.parametrize("name", on_the_page())
def test_the_page_lists_every_field_in_its_order(name: str) -> None:
    """A document's table is its layout."""
    kind = on_the_page()[name]
    section = PAGE.split(f"\n### {name}\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| (\w+) \| ", section, re.MULTILINE)
    assert rows == ["field", *kind.__struct_fields__]


@pytest.mark.parametrize("name", on_the_page())
def test_the_page_states_every_length_and_range(name: str) -> None:
    """As the types demand them."""
    section = PAGE.split(f"\n### {name}\n")[1].split("\n#")[0]
    rows = dict(re.findall(r"^\| (\w+) \| (.*?) \| ", section, re.MULTILINE))
    for info in msgspec.inspect.type_info(on_the_page()[name]).fields:  # type: ignore[attr-defined]
        stated = rows[info.name]
        if (words := _words(info.type)) is not None:
            assert set(re.findall(r'`"(.*?)"`', stated)) == words
        else:
            assert any(form in stated for form in _forms(info.type)), (info.name, stated, _forms(info.type))


def _words(kind: Any) -> set[str] | None:
    """The words that a literal, or a list of them, may have; None for another type."""
    inner = kind.item_type if type(kind).__name__ == "VarTupleType" else kind
    return set(inner.values) if type(inner).__name__ == "LiteralType" else None


def _forms(kind: Any) -> list[str]:
    """How the page may write a type."""
    match type(kind).__name__:
        case "StructType":
            return [kind.cls.__name__]
        case "BoolType":
            return ["`bool`"]
        case "IntType":
            seconds = ["Unix seconds"] if (kind.ge, kind.le) == (0, 2**40) else []
            return [*seconds, f"`uint{_range(kind.ge, kind.le, 2**64 - 1)}`"]
        case "VarTupleType":
            inner = _forms(kind.item_type)[0].strip("`")
            return [f"`[{inner}]{_range(kind.min_length or 0, kind.max_length, None)}`"]
        case "BytesType":
            return [f"`bin{_range(kind.min_length or 0, kind.max_length, None)}`", "`bin 32`, `bin 0`"]
        case "StrType":
            return [f"`str{_range(kind.min_length or 0, kind.max_length, None)}`"]
        case "LiteralType":
            return ["word"]
        case "DecimalType" | "DateType":
            return ["`str`"]
        case "UnionType":
            (inner,) = [one for one in kind.types if type(one).__name__ != "NoneType"]
            return [f"{_forms(inner)[0]} or nil"]
    raise TypeError(kind)


def _range(least: int | None, most: int | None, unbounded: int | None) -> str:
    most = unbounded if most is None else most
    if most is None or least is None:
        return ""
    return f" {least}" if least == most else f" {least}..{most}"


def test_the_page_names_every_title_that_is_signed() -> None:
    """And no other."""
    section = PAGE.split("\n## Signatures\n")[1].split("\n## ")[0]
    stated = dict(re.findall(r"^\| `([a-z ]+)` \| (\w+) \|", section, re.MULTILINE))
    signed = {title: type(sample.document).__name__ for title, sample in SIGNED.items()}
    assert stated == signed | {"request": "SignedRequest"}
    assert CertificateHead.title in stated
    assert all(documents()[name].title == title for title, name in stated.items())


def test_the_worked_example_is_the_tombstone() -> None:
    """Its bytes, what is signed, and the signature."""
    document, signed, signature = [example_bytes(example) for example in EXAMPLES]
    assert document == TOMBSTONE_BYTES
    assert signed == b"kura/v1/tombstone\x00" + WALLET.public + TOMBSTONE_BYTES
    assert signature == TOMBSTONE_SIGNATURE
    assert f"`{WALLET.seed.hex()}`" in PAGE
