"""How a person names one of many: by id, by its beginning, or by an unambiguous name."""

from collections.abc import Iterable

from wallet_client.errors import Ambiguous, Kind, NotKept


def resolve(text: str, named: Iterable[tuple[str, str]], kind: Kind, missing: type[NotKept]) -> str:
    """The one id that the text means.

    Called when the text is no whole id: an exact name that only one has wins, then the beginning of
    only one id.

    Args:
        text: What the person said.
        named: Id and name of each that may be meant; the name is "" where there is none.
        kind: What they are, for the error.
        missing: The error when none fits.

    Raises:
        NotKept: None fits.
        Ambiguous: More than one does.
    """
    everything = list(named)
    fitting = [one_id for one_id, name in everything if text and name == text]
    fitting = fitting or [one_id for one_id, _ in everything if text and one_id.startswith(text)]
    if not fitting:
        raise missing(text)
    if len(fitting) > 1:
        raise Ambiguous(kind, text, tuple(fitting))
    return fitting[0]
