"""One leaf alone is the manifest's by its path, or it is refused; nobody needs the others for it."""

from typing import Any

import pytest
from msgspec.structs import replace

from support.sample_documents import LEAF_BYTES, LEAVES, MANIFEST, draw
from trust.digest import VACANT
from trust.errors import DocumentMalformed
from trust.manifest import ItemLeaf, item_root, leaf_paths, read_leaf

PATHS = leaf_paths(LEAF_BYTES)


@pytest.mark.parametrize("position", range(3))
def test_a_leaf_is_read_with_its_path(position: int) -> None:
    """Exactly as it was registered."""
    assert read_leaf(MANIFEST, LEAF_BYTES[position], position, PATHS[position]) == LEAVES[position]


@pytest.mark.parametrize(
    ("leaf", "position", "path"),
    [
        pytest.param(LEAF_BYTES[0], 1, PATHS[0], id="at another place"),
        pytest.param(LEAF_BYTES[0], 3, PATHS[0], id="beyond the last place"),
        pytest.param(LEAF_BYTES[0], -1, PATHS[0], id="before the first place"),
        pytest.param(LEAF_BYTES[0], 0, PATHS[1], id="with another leaf's path"),
        pytest.param(LEAF_BYTES[0], 0, PATHS[0][:1], id="with a path cut short"),
        pytest.param(LEAF_BYTES[0], 0, (*PATHS[0], bytes(32)), id="with a path too long"),
        pytest.param(LEAF_BYTES[0], 0, (draw("a node", 32), PATHS[0][1]), id="with a forged path"),
        pytest.param(replace(LEAVES[0], generation=2).to_bytes(), 0, PATHS[0], id="changed"),
        pytest.param(b"", 0, PATHS[0], id="empty"),
    ],
)
def test_anything_else_is_not_the_manifests(leaf: bytes, position: int, path: tuple[bytes, ...]) -> None:
    """The error says no more than that."""
    with pytest.raises(DocumentMalformed, match="is not one that the manifest names"):
        read_leaf(MANIFEST, leaf, position, path)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"piece_roots": LEAVES[0].piece_roots[:4]}, "not one for each value share", id="roots"),
        pytest.param({"digest": VACANT}, "not of the policy's mode", id="digest"),
    ],
)
def test_a_leaf_that_the_manifest_names_must_fit_its_terms_too(fields: dict[str, Any], says: str) -> None:
    """The wallet that signed contradicts itself."""
    body = replace(LEAVES[0], **fields).to_bytes()
    manifest = replace(MANIFEST, item_count=1, item_root=item_root([body]))
    with pytest.raises(DocumentMalformed, match=says):
        read_leaf(manifest, body, 0, leaf_paths([body])[0])


def test_bytes_that_are_named_and_are_no_leaf_are_refused() -> None:
    """By the path they are the manifest's; they still have to parse."""
    manifest = replace(MANIFEST, item_count=1, item_root=item_root([b"no leaf"]))
    with pytest.raises(DocumentMalformed) as refusal:
        read_leaf(manifest, b"no leaf", 0, leaf_paths([b"no leaf"])[0])
    assert refusal.value.document == ItemLeaf.title
