"""A key comes from the root by a named description, and a description is data that can be checked."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from support.messagepack import Plain, pack
from support.sample_documents import ALGORITHM, draw
from threshold.ristretto import Scalar
from trust.documents import DocumentProblem
from trust.errors import DocumentMalformed
from trust.key_algorithm import BUILT_IN, KeyAlgorithm, derive_scalar

ROOT = draw("root", 32)
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of ristretto255: RFC 9496 section 4."""


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [(BUILT_IN, hashes.SHA256()), (ALGORITHM, hashes.SHA512())],
    ids=["own", "brought"],
)
def test_the_scalar_is_64_bytes_of_hkdf_reduced(
    algorithm: KeyAlgorithm, digest: hashes.HashAlgorithm
) -> None:
    """As docs/FORMATS.md says, computed here with integers."""
    wide = HKDF(digest, 64, algorithm.salt, algorithm.info).derive(ROOT)
    expected = int.from_bytes(wide, "little") % ORDER
    assert int.from_bytes(derive_scalar(algorithm, ROOT).to_bytes(), "little") == expected


def test_the_built_in_description_is_pinned() -> None:
    """What it gave out once it must give out for ever."""
    assert (
        BUILT_IN.to_bytes().hex()
        == "95a96b7572612d686b646601a6736861323536c400c4106b7572612f76312f726f6f742d6b6579"
    )
    assert derive_scalar(BUILT_IN, bytes(range(32))).to_bytes().hex() == (
        "43a36dc829442391f81db4bf53d5a0035446a177a294ab7564768b923bd8d008"
    )


def test_every_part_of_a_description_changes_the_key() -> None:
    """But its name and version, which only name it."""
    described: dict[str, Any] = {"hash": "sha256", "salt": b"", "info": b"kura/v1/root-key"}
    changes: list[dict[str, Any]] = [{}, {"hash": "sha512"}, {"salt": b"s"}, {"info": b"other"}]
    made = [KeyAlgorithm("any", 7, **(described | change)) for change in changes]
    keys = {derive_scalar(algorithm, ROOT).to_bytes() for algorithm in made}
    assert len(keys) == 4
    assert derive_scalar(made[0], ROOT) == derive_scalar(BUILT_IN, ROOT)
    assert derive_scalar(BUILT_IN, draw("another root", 32)) not in {Scalar.from_bytes(key) for key in keys}


def test_its_label_is_name_and_version() -> None:
    """As manifests carry it."""
    assert (BUILT_IN.label, ALGORITHM.label) == ("kura-hkdf/1", "own-hkdf/2")


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a/1", "a\n", "ä", "a" * 65])
def test_a_name_that_no_manifest_could_carry_is_refused(name: str) -> None:
    """When it is built and when it is read."""
    with pytest.raises(DocumentProblem, match="name: must be 1 to 64 of a-z, 0-9 and -"):
        KeyAlgorithm(name, 1, "sha256", b"", b"info")
    with pytest.raises(DocumentMalformed, match="must be 1 to 64"):
        KeyAlgorithm.from_bytes(pack([name, 1, "sha256", b"", b"info"]))


@pytest.mark.parametrize(
    ("position", "element"),
    [(1, 0), (1, 65_536), (2, "md5"), (3, bytes(65)), (4, b""), (4, bytes(256))],
    ids=["version 0", "version too high", "hash unknown", "salt too long", "no info", "info too long"],
)
def test_a_description_out_of_its_ranges_is_refused(position: int, element: Plain) -> None:
    """Nothing is cut to fit."""
    elements: list[Plain] = ["own", 1, "sha256", b"", b"info"]
    elements[position] = element
    with pytest.raises(DocumentMalformed):
        KeyAlgorithm.from_bytes(pack(elements))


def test_the_longest_name_fits_a_manifest() -> None:
    """64 characters, a slash and five digits in at most 80."""
    assert len(KeyAlgorithm("a" * 64, 65_535, "sha256", b"", b"i").label) <= 80
