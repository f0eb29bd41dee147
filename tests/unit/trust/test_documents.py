"""Documents have one encoding each, and everything else is refused."""

import subprocess
import sys
import tracemalloc

import msgspec
import pytest

from support.cluster import environment
from support.every_document import DOCUMENTS
from support.messagepack import Plain, Raw, longer_forms, pack, plain, replacements
from support.sample_documents import CHAIN, GENESIS, MANIFEST, TERMS, certificate, draw
from support.sample_owner import RECORD
from trust.certificate import Certificate
from trust.digest import Digest
from trust.documents import Document, DocumentProblem
from trust.errors import DocumentMalformed
from trust.policy import Division, KeyRule, PolicyTerms
from trust.request import SignedRequest
from trust.tombstone import Tombstone
from trust.value_fields import ValueFields

every_document = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())

OTHER_TYPES: list[Plain] = [
    None,
    True,
    -1,
    "text",
    b"bytes",
    [],
    Raw(b"\x80"),  # an empty map
    Raw(b"\xca\x3f\x80\x00\x00"),  # 1.0
    Raw(b"\xd4\x01\x00"),  # an extension
    Raw(b"\xd6\xff\x00\x00\x00\x00"),  # a timestamp
    Raw(b"\xc1"),  # never used in MessagePack
]


def refused(document: Document, data: bytes) -> DocumentMalformed:
    with pytest.raises(DocumentMalformed) as caught:
        type(document).from_bytes(data)
    return caught.value


@every_document
def test_reads_back_what_it_wrote(document: Document) -> None:
    """from_bytes undoes to_bytes, and both are stable."""
    again = type(document).from_bytes(document.to_bytes())
    assert again == document
    assert hash(again) == hash(document)
    assert again.to_bytes() == document.to_bytes()


@every_document
def test_writes_what_the_specification_of_messagepack_calls_shortest(document: Document) -> None:
    """A second writer, made from the specification, agrees byte for byte."""
    assert pack(plain(document)) == document.to_bytes()


@every_document
def test_refuses_every_longer_form_of_any_element(document: Document) -> None:
    """One document, one encoding: no integer, length or text may be written in more bytes than needed."""
    forms = list(longer_forms(plain(document)))
    assert len(forms) >= 3
    for data in forms:
        refused(document, data)


@every_document
def test_refuses_another_type_in_any_place(document: Document) -> None:
    """Each element, at any depth, as nil, boolean, negative, text, bytes, array, map, float and extension."""
    # for a field that is not stated, or the owner of a batch
    may_be_nil = isinstance(document, ValueFields) or getattr(document, "ownership", None) is not None
    others = [other for other in OTHER_TYPES if other is not None or not may_be_nil]
    for replaced in replacements(plain(document), others):
        refused(document, pack(replaced))


@every_document
def test_refuses_every_truncation(document: Document) -> None:
    """No prefix of a document is a document."""
    data = document.to_bytes()
    for length in range(len(data)):
        refused(document, data[:length])


@every_document
@pytest.mark.parametrize("extra", [b"\x00", b"\xc0", b"\x90"], ids=["zero", "nil", "array"])
def test_refuses_trailing_bytes(document: Document, extra: bytes) -> None:
    """Nothing may follow a document."""
    assert refused(document, document.to_bytes() + extra).problem == "not MessagePack"


@every_document
def test_refuses_an_element_too_many_and_one_missing(document: Document) -> None:
    """Also where the missing one has a default value in the code."""
    elements = plain(document)
    assert isinstance(elements, list)
    refused(document, pack([*elements, 0]))
    refused(document, pack([*elements, None]))
    refused(document, pack(elements[:-1]))


@every_document
def test_refuses_a_map_in_place_of_the_array(document: Document) -> None:
    """Field names never travel."""
    fields = {name: getattr(document, name) for name in document.__struct_fields__}
    refused(document, msgspec.msgpack.encode(fields))


@every_document
@pytest.mark.parametrize("data", [b"", b"\xc1", b"\xff" * 40, b"\x90", b"null"])
def test_refuses_what_is_no_document(document: Document, data: bytes) -> None:
    """Nothing, reserved bytes, integers, an empty array, text."""
    refused(document, data)


@every_document
def test_refuses_deep_nesting_without_following_it(document: Document) -> None:
    """A hundred thousand arrays in one another cost an error and no more."""
    elements = plain(document)
    assert isinstance(elements, list)
    deep = Raw(b"\x91" * 100_000)
    refused(document, deep.content)
    for position in range(len(elements)):
        refused(document, pack([*elements[:position], deep, *elements[position + 1 :]]))
    refused(document, pack([*elements, deep]))


@every_document
@pytest.mark.parametrize(
    "header",
    [
        b"\xdd" + b"\xff" * 4,
        b"\xdc\xff\xff",
        b"\xc6" + b"\xff" * 4,
        b"\xdb" + b"\xff" * 4,
        b"\xdf" + b"\xff" * 4,
    ],
    ids=["array32", "array16", "bin32", "str32", "map32"],
)
def test_a_huge_declared_length_allocates_nothing(document: Document, header: bytes) -> None:
    """Five bytes that announce four gigabytes are refused before any of them is set aside."""
    elements = plain(document)
    assert isinstance(elements, list)
    attempts = [header] + [pack([*elements[:i], Raw(header)]) for i in range(len(elements))]
    tracemalloc.start()
    try:
        for data in attempts:
            refused(document, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_refuses_text_that_is_not_utf8() -> None:
    """As a malformed document, not as an error of the decoder's own."""
    terms = plain(TERMS)
    assert isinstance(terms, list)
    error = refused(TERMS, pack([Raw(b"\xa2\xc3\x28"), *terms[1:]]))
    assert (error.field, error.problem) == ("", "not MessagePack")


@pytest.mark.parametrize(
    ("document", "element", "value", "field"),
    [
        (certificate(0), 0, bytes(15), "$[0]"),
        (certificate(0), 0, bytes(17), "$[0]"),
        (certificate(0), 3, bytes(31), "$[3]"),
        (certificate(0), 3, bytes(33), "$[3]"),
        (certificate(0), 4, -1, "$[4]"),
        (certificate(0), 4, 2**63, "$[4]"),
        (certificate(0), 6, 0, "$[6]"),
        (certificate(0), 6, 2**32, "$[6]"),
        (certificate(0), 7, 0, "$[7]"),
        (certificate(0), 7, 256, "$[7]"),
        (DOCUMENTS["certificate head"], 1, 0, "$[1]"),
        (DOCUMENTS["signed certificate"], 2, 0, "$[2]"),
        (DOCUMENTS["signed certificate"], 3, [bytes(32)] * 65, "$[3]"),
        (DOCUMENTS["signed certificate"], 3, [bytes(31)], "$[3][0]"),
        (DOCUMENTS["signed certificate"], 5, bytes(63), "$[5]"),
        (DOCUMENTS["digest fields"], 0, "c" * 65, "$[0]"),
        (DOCUMENTS["digest fields"], 1, "n" * 1001, "$[1]"),
        (DOCUMENTS["digest fields"], 3, "2026-11-231", "$[3]"),
        (DOCUMENTS["digest fields"], 4, "2026-11-231", "$[4]"),
        (DOCUMENTS["digest fields"], 5, "p" * 1001, "$[5]"),
        (DOCUMENTS["sealed digest"], 1, bytes(16_385), "$[1]"),
        (DOCUMENTS["division"], 1, 0, "$[1]"),
        (DOCUMENTS["division"], 2, 256, "$[2]"),
        (DOCUMENTS["key rule"], 1, 256, "$[1]"),
        (TERMS, 0, "", "$[0]"),
        (TERMS, 0, "t" * 65, "$[0]"),
        (TERMS, 5, 0, "$[5]"),
        (TERMS, 5, 256, "$[5]"),
        (DOCUMENTS["place"], 0, 0, "$[0]"),
        (DOCUMENTS["place"], 0, 256, "$[0]"),
        (DOCUMENTS["item leaf"], 0, bytes(15), "$[0]"),
        (DOCUMENTS["item leaf"], 4, -1, "$[4]"),
        (DOCUMENTS["item leaf"], 4, 2**36 - 63, "$[4]"),
        (DOCUMENTS["item leaf"], 5, [bytes(32)] * 256, "$[5]"),
        (DOCUMENTS["item leaf"], 5, [bytes(33)], "$[5][0]"),
        (MANIFEST, 0, bytes(31), "$[0]"),
        (MANIFEST, 2, 0, "$[2]"),
        (MANIFEST, 5, [bytes(32)] * 256, "$[5]"),
        (MANIFEST, 5, [bytes(31)] * 3, "$[5][0]"),
        (MANIFEST, 6, bytes(31), "$[6]"),
        (MANIFEST, 7, -1, "$[7]"),
        (MANIFEST, 7, 2**40 + 1, "$[7]"),
        (MANIFEST, 8, 0, "$[8]"),
        (MANIFEST, 8, 1_001, "$[8]"),
        (MANIFEST, 9, bytes(33), "$[9]"),
        (DOCUMENTS["ownership"], 0, bytes(15), "$[0]"),
        (DOCUMENTS["record place"], 0, 0, "$[0]"),
        (DOCUMENTS["record place"], 0, 256, "$[0]"),
        (DOCUMENTS["record place"], 1, bytes(17), "$[1]"),
        (RECORD, 0, bytes(31), "$[0]"),
        (RECORD, 1, bytes(33), "$[1]"),
        (RECORD, 2, bytes(15), "$[2]"),
        (RECORD, 3, 0, "$[3]"),
        (RECORD, 3, 256, "$[3]"),
        (RECORD, 4, [], "$[4]"),
        (RECORD, 4, [plain(RECORD.places[0])] * 256, "$[4]"),
        (RECORD, 5, [], "$[5]"),
        (RECORD, 5, [bytes(32)] * 256, "$[5]"),
        (RECORD, 5, [bytes(31)] * 3, "$[5][0]"),
        (RECORD, 6, [], "$[6]"),
        (RECORD, 6, [bytes(32)] * 256, "$[6]"),
        (RECORD, 6, [bytes(33)] * 3, "$[6][0]"),
        (RECORD, 7, bytes(31), "$[7]"),
        (DOCUMENTS["owner secrets"], 0, bytes(31), "$[0]"),
        (DOCUMENTS["owner secrets"], 1, bytes(33), "$[1]"),
        (DOCUMENTS["owner secrets"], 2, b"", "$[2]"),
        (DOCUMENTS["released part"], 0, bytes(31), "$[0]"),
        (DOCUMENTS["released part"], 1, bytes(118), "$[1]"),
        (DOCUMENTS["released part"], 1, bytes(1016), "$[1]"),
        (DOCUMENTS["wallet authorisation"], 0, bytes(31), "$[0]"),
        (DOCUMENTS["wallet authorisation"], 1, bytes(33), "$[1]"),
        (DOCUMENTS["wallet authorisation"], 2, 2**40 + 1, "$[2]"),
        (DOCUMENTS["signed wallet authorisation"], 1, bytes(63), "$[1]"),
        (DOCUMENTS["wallet revocation"], 0, bytes(31), "$[0]"),
        (DOCUMENTS["wallet revocation"], 1, bytes(33), "$[1]"),
        (DOCUMENTS["wallet revocation"], 2, -1, "$[2]"),
        (DOCUMENTS["tombstone"], 3, 2**40 + 1, "$[3]"),
        (DOCUMENTS["request proof"], 1, -1, "$[1]"),
        (DOCUMENTS["request proof"], 1, 2**53 + 1, "$[1]"),
        (DOCUMENTS["request proof"], 2, bytes(17), "$[2]"),
        (DOCUMENTS["request proof"], 3, bytes(65), "$[3]"),
        (DOCUMENTS["safe entry"], 2, "", "$[2]"),
        (DOCUMENTS["safe entry"], 2, "o" * 201, "$[2]"),
        (DOCUMENTS["safe entry"], 5, b"", "$[5]"),
        (DOCUMENTS["safe entry"], 5, bytes(8_193), "$[5]"),
        (DOCUMENTS["safe entry"], 6, bytes(31), "$[6]"),
        (DOCUMENTS["safe entry"], 7, bytes(31), "$[7]"),
        (DOCUMENTS["safe entry"], 8, bytes(33), "$[8]"),
        (GENESIS, 0, 0, "$[0]"),
        (GENESIS, 0, 2**31 + 1, "$[0]"),
        (GENESIS, 1, bytes(33), "$[1]"),
        (GENESIS, 3, 0, "$[3]"),
        (GENESIS, 4, [], "$[4]"),
        (GENESIS, 4, [plain(GENESIS.safes[0])] * 256, "$[4]"),
        (GENESIS, 5, [], "$[5]"),
        (GENESIS, 5, [bytes(80)] * 256, "$[5]"),
        (GENESIS, 5, [*GENESIS.decoys[:4], bytes(79)], "$[5][4]"),
        (GENESIS, 5, [*GENESIS.decoys[:4], bytes(81)], "$[5][4]"),
        (CHAIN[0], 1, [plain(CHAIN[0].signatures[0])] * 256, "$[1]"),
    ],
)
def test_refuses_lengths_and_numbers_out_of_range(
    document: Document, element: int, value: Plain, field: str
) -> None:
    """The error names the place."""
    elements = plain(document)
    assert isinstance(elements, list)
    error = refused(document, pack([*elements[:element], value, *elements[element + 1 :]]))
    assert error.field == field
    assert error.document == type(document).title


@pytest.mark.parametrize(
    ("document", "element", "value"),
    [
        (certificate(0), 4, 0),
        (certificate(0), 4, 2**63 - 1),
        (certificate(0), 6, 2**32 - 1),
        (certificate(0), 7, 255),
        (DOCUMENTS["item leaf"], 4, 0),
        (DOCUMENTS["item leaf"], 4, 2**36 - 64),
        (MANIFEST, 8, 1_000),
        (DOCUMENTS["record place"], 0, 255),
        (DOCUMENTS["wallet authorisation"], 2, 2**40),
        (DOCUMENTS["wallet revocation"], 2, 0),
        (DOCUMENTS["tombstone"], 3, 2**40),
        (DOCUMENTS["request proof"], 1, 2**53),
        (DOCUMENTS["safe entry"], 5, bytes(8_192)),
        (DOCUMENTS["sealed digest"], 1, bytes(16_384)),
        (DOCUMENTS["digest fields"], 1, "日" * 1_000),
    ],
)
def test_accepts_lengths_and_numbers_at_the_edge(document: Document, element: int, value: Plain) -> None:
    """What is the most is allowed."""
    elements = plain(document)
    assert isinstance(elements, list)
    data = pack([*elements[:element], value, *elements[element + 1 :]])
    assert type(document).from_bytes(data).to_bytes() == data


def test_an_error_never_quotes_the_content() -> None:
    """Not even a word where only fixed words are allowed, and whatever it holds."""
    error = refused(Digest("vacant"), pack(["my seed - at `$[7]`", b""]))
    assert (error.field, error.problem) == ("$[0]", "not one of the words allowed here")
    assert "seed" not in str(error)
    assert "seed" not in repr(error)


def test_a_contradiction_inside_a_nested_document_is_typed_and_placed() -> None:
    """What `__post_init__` finds deep inside arrives as DocumentMalformed with the path to it."""
    terms = plain(TERMS)
    assert isinstance(terms, list)
    error = refused(TERMS, pack([*terms[:2], ["shamir", 4, 3], *terms[3:]]))
    assert (error.document, error.field) == ("policy terms", "$[2]")
    assert error.problem == "k: more shares needed than made"


def test_a_nested_document_that_does_not_parse_is_named_itself() -> None:
    """What a public digest inside a certificate holds: the digest's entries are at fault."""
    elements = plain(certificate(0))
    assert isinstance(elements, list)
    error = refused(certificate(0), pack([*elements[:2], ["public", b"\xc1"], *elements[3:]]))
    assert (error.document, error.problem) == ("digest entries", "not MessagePack")


def test_direct_construction_checks_contradictions_but_not_types() -> None:
    """Types and ranges are mypy's affair until the bytes are read, and then they are ours."""
    with pytest.raises(DocumentProblem, match="more shares needed than made"):
        Division("shamir", 4, 3)
    wrong = Tombstone(b"short", "text", 0, -1)  # type: ignore[arg-type]
    with pytest.raises(DocumentMalformed):
        Tombstone.from_bytes(wrong.to_bytes())


def test_what_has_no_encoding_cannot_be_written() -> None:
    """A foreign object or a number beyond 64 bits is the caller's mistake and says so."""
    with pytest.raises(TypeError):
        SignedRequest("m", object(), b"", 0, b"").to_bytes()  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        Division("shamir", 1, 2**64).to_bytes()


def test_documents_of_different_types_are_never_equal() -> None:
    """Though their bytes may be the same."""
    documents: list[Document] = [Division("shamir", 2, 3), KeyRule("shared", 2, 3)]
    assert documents[0] != documents[1]


def test_equal_documents_are_one_in_a_set() -> None:
    """Also when one of them has answered questions about its placement already."""
    again = type(MANIFEST).from_bytes(MANIFEST.to_bytes())
    again.value_places()
    assert {MANIFEST, again} == {again}
    assert len({certificate(0), certificate(0), certificate(1)}) == 2


@every_document
def test_a_document_cannot_be_changed(document: Document) -> None:
    """What was checked stays as it was checked."""
    with pytest.raises(AttributeError):
        setattr(document, document.__struct_fields__[0], draw("other", 16))


def test_accepts_any_buffer() -> None:
    """A view into a message is read as the bytes it shows."""
    data = certificate(0).to_bytes()
    assert Certificate.from_bytes(memoryview(data)) == certificate(0)  # type: ignore[arg-type]
    assert PolicyTerms.from_bytes(bytearray(TERMS.to_bytes())) == TERMS  # type: ignore[arg-type]


READ_BY_EIGHT_THREADS = """
import sys, threading
from trust.documents import Document

sys.setswitchinterval(1e-6)
for _ in range(10):
    class Inner(Document, frozen=True):
        parts: tuple[tuple[bytes, str] | None, ...]

    class Outer(Document, frozen=True):
        inner: tuple[Inner, ...]

    data = Outer((Inner((None,)),)).to_bytes()
    ready = threading.Barrier(8)
    threads = [threading.Thread(target=lambda: (ready.wait(), Outer.from_bytes(data))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_may_be_the_first_to_read_a_kind_of_document() -> None:
    """In a process of its own: reading in many threads at once what nobody had read used to end it."""
    done = subprocess.run(
        [sys.executable, "-c", READ_BY_EIGHT_THREADS], env=environment(), check=False, timeout=60
    )
    assert done.returncode == 0
