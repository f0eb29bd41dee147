"""Cut a stream of byte strings anew, so that the cuts fall on block ends."""

from collections.abc import Iterable, Iterator


def rechunk(parts: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in chunks of `size`, the last one shorter; none for no bytes."""
    buffer = bytearray()
    for part in parts:
        buffer += part
        while len(buffer) >= size:
            yield bytes(buffer[:size])
            del buffer[:size]
    if buffer:
        yield bytes(buffer)
