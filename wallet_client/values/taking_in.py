"""Which importer takes a file."""

from pathlib import Path

from wallet_client.values.value import Value


def take_in(path: Path, *, now: int) -> Value:
    """The value that a file is: a pass if its name ends in .pkpass, else a plain file.

    Args:
        path: The file.
        now: Seconds since 1970, for `held_since`.

    Raises:
        ImportRefused: It cannot be taken in.
    """
    if path.suffix.lower() == ".pkpass":
        from wallet_client.values.pkpass import read_pass

        return read_pass(path, now=now)
    from wallet_client.values.files import read_file

    return read_file(path, now=now)
