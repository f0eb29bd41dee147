"""Text from others, made fit for a terminal.

Names come from files, passes and other wallets. A name may hold an escape sequence that repaints
the screen or a mark that turns the reading direction; it is stored as given and shown escaped.
"""

_KEPT_CATEGORY = "Zs"


def shown(text: str) -> str:
    r"""The text with every character that steers a display replaced by its escape.

    Control, format (bidirectional marks among them), surrogate, private and unassigned
    characters and line separators become `\xNN`, `\uNNNN` or `\UNNNNNNNN`; letters of all
    scripts, combining marks and spaces of every width stay. A backslash stays as it is: this is
    for eyes, not for parsing back.
    """
    if text.isprintable():
        return text
    return "".join(one if _is_harmless(one) else _escaped(one) for one in text)


def _is_harmless(character: str) -> bool:
    if character.isprintable():
        return True
    import unicodedata  # 1 MB of tables, needed only when something odd turns up

    return unicodedata.category(character) == _KEPT_CATEGORY


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
