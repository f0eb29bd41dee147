"""Makes tests/vectors/kura_documents.json: every document's exact bytes, from the samples beside this file.

Run it only when the format changes on purpose:

    PYTHONPATH=.:tests python -m support.document_vectors > tests/vectors/kura_documents.json
"""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from support import every_document, sample_authority, sample_envelope, sample_grant, sample_owner
from support import sample_documents as samples
from threshold import merkle
from threshold.sealing import derive_item_key
from trust.owner_information import seal_under_common
from trust.owner_record import release_label
from trust.piece import block_hashes, key_piece_hash, piece_root
from trust.roster_file import write_roster
from trust.value_fields import write_head

WHY = [
    "Pinned bytes of every document. They are signed, hashed and kept for years: a change of one byte,",
    "by us or by a library, would make receipts and rosters already given out worthless. If a test fails",
    "here, the format has changed: undo it, or give the new format a new tag and keep reading the old one.",
    "Bytes are hexadecimal. What looks random is SHAKE-256('kura sample documents: ' + label).",
]

KEYS = {
    "wallet": samples.WALLET,
    "safe 1 signing": samples.SAFE_KEYS[0],
    "safe 5 signing": samples.SAFE_KEYS[4],
    "operator 1": samples.OPERATORS[0],
    "owner": sample_owner.OWNER,
    "authority identity": sample_authority.IDENTITY,
    "authority signing": sample_authority.SIGNING,
}
DOCUMENT_OF_TITLE = {"certificates": "certificate head"}
"""Where the name among the samples is not the title that is signed."""


def vectors() -> dict[str, Any]:
    """The content of the file."""
    return {
        "why": WHY,
        "keys": {label: {"seed": key.seed.hex(), "public": key.public.hex()} for label, key in KEYS.items()},
        "documents": {name: _document(document) for name, document in every_document.DOCUMENTS.items()},
        "signatures": {title: _signature(title) for title in every_document.SIGNED},
        "request": _request(),
        "value": _value(),
        "pieces": [_piece(item) for item in range(3)],
        "key_piece": _key_piece(),
        "trees": {"item leaves": _tree(samples.LEAF_BYTES), "certificates": _tree(samples.CERTIFICATES)},
        "roster": {
            "fingerprint": samples.GENESIS.fingerprint.hex(),
            "file": write_roster(samples.CHAIN).decode(),
        },
        "decoys": [_decoy(number) for number in range(1, 6)],
        "envelope": _envelope(),
        "collected": _collected(),
        "unlock": _unlock(),
        "binding": _binding(),
        "common_key": _common_key(),
    }


def readable(value: object) -> Any:
    """A document as JSON: fields by name, bytes in hexadecimal."""
    if isinstance(value, msgspec.Struct):
        return {name: readable(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple | list):
        return [readable(element) for element in value]
    if isinstance(value, Decimal | date):
        return str(value)
    return value.hex() if isinstance(value, bytes) else value


def _document(document: msgspec.Struct) -> dict[str, Any]:
    return {
        "type": type(document).__name__,
        "fields": readable(document),
        "bytes": msgspec.msgpack.encode(document).hex(),
    }


def _signature(title: str) -> dict[str, str]:
    sample = every_document.SIGNED[title]
    signer = next(label for label, key in KEYS.items() if key == sample.signer)
    document = DOCUMENT_OF_TITLE.get(title, title)
    return {"document": document, "signer": signer, "signature": sample.signature.hex()}


def _common_key() -> dict[str, str]:
    """A question under a temporary common key, and its answer."""
    question, common = sample_authority.QUESTION, sample_authority.COMMON
    sealed, answer_key = seal_under_common(question, common)
    return {
        "wallet_private": sample_authority.WALLET_HALF.hex(),
        "key_half": sample_authority.SIGNED_HALF.half.hex(),
        "common_key": common.key.hex(),
        "question": question.to_bytes().hex(),
        "sealed_question": sealed.hex(),
        "answer_body": sample_authority.CALLS["done"].to_bytes().hex(),
        "sealed_answer": answer_key.seal(sample_authority.CALLS["done"].to_bytes()).hex(),
    }


def _request() -> dict[str, Any]:
    return {
        "method": samples.METHOD,
        "safe_id": samples.SAFE_IDS[0].hex(),
        "body": samples.REQUEST_BODY.hex(),
        "proof": samples.PROOF.to_bytes().hex(),
    }


def _value() -> dict[str, str]:
    """The encoding of a whole value."""
    payload = samples.draw("payload", 40)
    return {
        "document": "value fields",
        "payload": payload.hex(),
        "encoding": (write_head(samples.VALUE_FIELDS) + payload).hex(),
    }


def _piece(item: int) -> dict[str, Any]:
    blob = samples.blob(item, 1)
    return {
        "blob_label": f"blob of item {item} at 1",
        "blob_length": len(blob),
        "block_hashes": readable(block_hashes(blob)),
        "root": piece_root(blob).hex(),
    }


def _key_piece() -> dict[str, Any]:
    commitment = samples.MANIFEST.commitments[0]
    return {
        "item_id": samples.ITEM_IDS[0].hex(),
        "generation": 1,
        "x": 5,
        "commitment": commitment.hex(),
        "x_hash": key_piece_hash(samples.ITEM_IDS[0], 1, 5, commitment).hex(),
    }


def _envelope() -> dict[str, Any]:
    """A request of two messages and the reply, as they travel."""
    requests, reply = sample_envelope.frames()
    return {
        "safe_id": samples.SAFE_IDS[0].hex(),
        "sealing_private": samples.SEALING_PAIRS[0].private.hex(),
        "secret": sample_envelope.SECRET.hex(),
        "messages": [message.hex() for message in sample_envelope.MESSAGES],
        "requests": [frame.hex() for frame in requests],
        "answer": sample_envelope.ANSWER.hex(),
        "reply": reply.hex(),
    }


def _collected() -> dict[str, Any]:
    """What the first safe gives under the sample grant, as it travels."""
    return {
        "grant": sample_grant.GRANT_BYTES.hex(),
        "lists": readable(sample_grant.LISTS),
        "safe_id": samples.SAFE_IDS[0].hex(),
        "recipient_private": sample_grant.RECIPIENT.private.hex(),
        "secret": sample_grant.SECRET.hex(),
        "messages": [message.hex() for message in sample_grant.MESSAGES],
        "frames": [frame.hex() for frame in sample_grant.frames()],
    }


def _decoy(number: int) -> dict[str, str]:
    """What one safe opens in the genesis, and with which key."""
    pair = samples.SEALING_PAIRS[number - 1]
    return {
        "safe_id": samples.SAFE_IDS[number - 1].hex(),
        "sealing_seed": samples.draw(f"safe {number} sealing", 32).hex(),
        "sealing_private": pair.private.hex(),
        "sealing_public": pair.public.hex(),
        "sealed": samples.GENESIS.decoys[number - 1].hex(),
        "secret": samples.DECOY_SECRETS[0].hex(),
    }


def _unlock() -> dict[str, str]:
    """All that lies between a stretched PIN and the owner's secrets, at safe 1."""
    owner = sample_owner
    found = {
        "stretched_pin": owner.STRETCHED_PIN,
        "oprf_key": owner.OPRF_POLYNOMIAL[0].to_bytes(),
        "oprf_share": owner.oprf_share(1),
        "oprf_output": owner.OPRF_OUTPUT,
        "unlock_secret": owner.UNLOCK_SECRET,
        "unlock_share": owner.unlock_share(1),
        "sealed_secrets": owner.SEALED_SECRETS,
        "safe_id": samples.SAFE_IDS[0],
        "guess_id": owner.GUESS_ID,
        "recipient_private": owner.RECIPIENT.private,
        "recipient_public": owner.RECIPIENT.public,
        "unlock_tag": owner.TAG,
        "unlock_proof": owner.UNLOCK_PROOF,
        "release_label": release_label(samples.SAFE_IDS[0], owner.GUESS_ID, owner.RECORD_ID),
        "sealed_part": owner.SEALED_PART,
    }
    return {name: content.hex() for name, content in found.items()}


def _binding() -> dict[str, Any]:
    """What binds the first item of a manifest of the owner's."""
    binding, item_id = sample_owner.BINDING, samples.ITEM_IDS[0]
    secret, salt = samples.scalar("coefficient 0").to_bytes(), samples.MANIFEST.salt
    key = derive_item_key(secret, sample_owner.ITEM_BINDING, salt, item_id, "value", 1)
    digest_key = derive_item_key(binding.digest_secret, b"", salt, item_id, "digest", 1)
    return {
        "root": sample_owner.SECRETS.root.hex(),
        "binding_secret": binding.secret.hex(),
        "binding_id": binding.id.hex(),
        "digest_secret": binding.digest_secret.hex(),
        "item_id": item_id.hex(),
        "item_binding": sample_owner.ITEM_BINDING.hex(),
        "batch_secret": secret.hex(),
        "salt": salt.hex(),
        "generation": 1,
        "item_key": key.key.hex(),
        "digest_key": digest_key.key.hex(),
    }


def _tree(leaves: tuple[bytes, ...]) -> dict[str, Any]:
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    return {
        "leaves": readable(leaves),
        "leaf_hashes": readable(hashes),
        "root": merkle.root(hashes).hex(),
        "paths": readable(merkle.paths(hashes)),
    }


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=1, ensure_ascii=False))
