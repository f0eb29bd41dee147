"""A key algorithm brought from outside: what its issuer signed is read back, and nothing else is."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from support.sample_documents import draw, key
from trust import algorithm_file
from trust.algorithm_file import FORMAT, MAX_FILE_BYTES, IssuedAlgorithm, read_algorithm, write_algorithm
from trust.errors import AlgorithmRefused, DocumentMalformed
from trust.key_algorithm import BUILT_IN, KeyAlgorithm, derive_scalar

ISSUER = key("algorithm issuer")
SEED = draw("seed of a file", 32)
ALGORITHM = KeyAlgorithm("ticket-office", 2, "sha512", b"salt", b"keys of tickets")
FILE = write_algorithm(IssuedAlgorithm(ALGORITHM, SEED), ISSUER)


def changed(change: Callable[[Any], object]) -> bytes:
    """The file with something changed, its signature as it was."""
    text = json.loads(FILE)
    change(text)
    return json.dumps(text).encode()


@pytest.mark.parametrize("seed", [SEED, b""], ids=["with a seed", "without one"])
def test_what_was_signed_is_read_back(seed: bytes) -> None:
    """Description and seed are the same, and lead to the same key."""
    issued = IssuedAlgorithm(ALGORITHM, seed)
    assert read_algorithm(write_algorithm(issued, ISSUER), ISSUER.public) == issued
    assert derive_scalar(issued.algorithm, SEED) == derive_scalar(ALGORITHM, SEED)
    assert derive_scalar(ALGORITHM, SEED) != derive_scalar(BUILT_IN, SEED)


def test_white_space_and_order_do_not_matter() -> None:
    """A person may lay the file out anew."""
    text = json.loads(FILE)
    again = json.dumps(dict(reversed(text.items())), indent=7).encode()
    assert read_algorithm(again, ISSUER.public).algorithm == ALGORITHM


def test_it_shows_its_seed_to_nobody_who_prints_it() -> None:
    """The label alone is shown."""
    assert repr(IssuedAlgorithm(ALGORITHM, SEED)) == "<IssuedAlgorithm ticket-office/2>"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"", "no complete JSON", id="nothing"),
        pytest.param(FILE[:-9], "no complete JSON", id="a file that is cut short"),
        pytest.param(b"\xff\xfe", "no complete JSON", id="bytes that are no text"),
        pytest.param(b"[" * 9_000, "Expected `object`", id="brackets without end"),
        pytest.param(FILE + b" " * MAX_FILE_BYTES, "more than 16384 bytes", id="a file that is too long"),
        pytest.param(b"[]", "Expected `object`", id="another kind of JSON"),
        pytest.param(
            changed(lambda text: text.update(format="kura-roster-1")), FORMAT, id="another kind of file"
        ),
        pytest.param(changed(lambda text: text.update(code="1+1")), "unknown field", id="code"),
        pytest.param(changed(lambda text: text.pop("issuer")), "missing", id="a missing field"),
        pytest.param(
            changed(lambda text: text["algorithm"].update(hash="md5")),
            "md5",
            id="a hash that is none of ours",
        ),
        pytest.param(
            changed(lambda text: text["algorithm"].update(hash="\x1b[2J")),
            r"\\x1b\[2J",
            id="a hash that would clear the screen",
        ),
        pytest.param(
            changed(lambda text: text["algorithm"].update(name="Office")), "name", id="a name in capitals"
        ),
        pytest.param(
            changed(lambda text: text["algorithm"].update(version=0)), "int", id="a version before the first"
        ),
        pytest.param(
            changed(lambda text: text["algorithm"].update(version=2**70)),
            "serialize",
            id="a version without end",
        ),
        pytest.param(
            changed(lambda text: text["algorithm"].update(info="")),
            "length",
            id="a description that says nothing",
        ),
        pytest.param(
            changed(lambda text: text["algorithm"].update(salt="00" * 65)),
            "length",
            id="a salt that is too long",
        ),
        pytest.param(
            changed(lambda text: text["algorithm"].update(salt="xy")),
            "hexadecimal",
            id="a salt without digits",
        ),
        pytest.param(changed(lambda text: text.update(seed="00" * 31)), "32 bytes", id="half a seed"),
        pytest.param(changed(lambda text: text.update(seed="00" * 33)), "length", id="more than a seed"),
        pytest.param(changed(lambda text: text.update(issuer="00")), "32 bytes", id="half an issuer"),
        pytest.param(changed(lambda text: text.update(signature="00")), "64 bytes", id="half a signature"),
        pytest.param(
            changed(lambda text: text.update(seed="")),
            "signature does not hold",
            id="a seed that was taken out",
        ),
        pytest.param(
            changed(lambda text: text.update(seed="00" * 32)), "signature does not hold", id="another seed"
        ),
        pytest.param(
            changed(lambda text: text["algorithm"].update(version=3)),
            "signature does not hold",
            id="another version",
        ),
        pytest.param(
            changed(lambda text: text["algorithm"].update(info="00")),
            "signature does not hold",
            id="another description",
        ),
        pytest.param(
            changed(lambda text: text.update(issuer=key("another").public.hex())),
            "another issuer",
            id="another issuer's name",
        ),
        pytest.param(
            write_algorithm(IssuedAlgorithm(ALGORITHM, SEED), key("another")),
            "another issuer",
            id="another issuer's file",
        ),
    ],
)
def test_what_the_issuer_did_not_sign_is_refused(data: bytes, problem: str) -> None:
    """With the reason, and on one line."""
    with pytest.raises(AlgorithmRefused, match=problem) as refused:
        read_algorithm(data, ISSUER.public)
    assert str(refused.value).isprintable()
    assert SEED.hex() not in str(refused.value)


@pytest.mark.parametrize(
    "issued",
    [
        IssuedAlgorithm(KeyAlgorithm("office", 0, "sha256", b"", b"info"), b""),
        IssuedAlgorithm(KeyAlgorithm("office", 1, "md5", b"", b"info"), b""),  # type: ignore[arg-type]
        IssuedAlgorithm(KeyAlgorithm("office", 1, "sha256", b"", b""), b""),
    ],
    ids=["version 0", "an unknown hash", "no info"],
)
def test_nobody_signs_what_nobody_could_read(issued: IssuedAlgorithm) -> None:
    """The issuer is told, not the readers."""
    with pytest.raises(AlgorithmRefused):
        write_algorithm(issued, ISSUER)


def test_half_a_seed_cannot_be_built() -> None:
    """Neither in the program nor from bytes."""
    with pytest.raises(ValueError, match="32 bytes or none"):
        IssuedAlgorithm(ALGORITHM, b"short")
    whole = IssuedAlgorithm(ALGORITHM, SEED).to_bytes()
    with pytest.raises(DocumentMalformed):
        IssuedAlgorithm.from_bytes(whole.replace(b"\xc4\x20" + SEED, b"\xc4\x02" + SEED[:2]))


def test_a_file_that_was_parsed_does_not_print_its_seed() -> None:
    """Whoever logs it logs its format."""
    assert repr(msgspec.json.decode(FILE, type=algorithm_file._FileText)) == f"<{FORMAT}>"
