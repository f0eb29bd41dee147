"""The backup conditions of a wallet: what each is called, and what it says.

They are kept as they were written. Whoever reads one parses it: a newer Kura may know more words.
"""

import msgspec

from wallet_client.conditions.condition import ConditionName, ConditionText
from wallet_client.storage.records import Records


class ConditionEntry(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One condition.

    Args:
        name: What it is called, 1 to 64 of a-z, 0-9 and -.
        text: What it says, at most 4,000 characters.
        note: What the owner says of it; "" for nothing.
    """

    name: ConditionName
    text: ConditionText
    note: str = ""

    def __repr__(self) -> str:
        """Without what it says: that may name a value."""
        return f"<ConditionEntry {self.name}>"


class Conditions:
    """The conditions of one wallet; a new one begins with `default`.

    Args:
        records: Their sealed rows.
    """

    def __init__(self, records: Records[ConditionEntry]) -> None:
        self._records = records

    def add(self, name: ConditionName, text: ConditionText, *, note: str = "") -> None:
        """Keep a new condition.

        Raises:
            AlreadyKept: The name is taken.
        """
        self._records.add(name, ConditionEntry(name=name, text=text, note=note))

    def replace(self, name: str, text: ConditionText, *, note: str | None = None) -> None:
        """Let a condition say something else; its place among the others stays, and without a note its note.

        Raises:
            UnknownCondition: There is none of that name.
        """
        with self._records.database.transaction():
            old = self.entry(name)
            changed = msgspec.structs.replace(old, text=text, note=old.note if note is None else note)
            self._records.replace_head(name, changed)

    def remove(self, name: str) -> None:
        """Forget a condition.

        Raises:
            UnknownCondition: There is none of that name.
        """
        self._records.remove(name)

    def entry(self, name: str) -> ConditionEntry:
        """One condition.

        Raises:
            UnknownCondition: There is none of that name.
        """
        return self._records.head(name)

    def entries(self) -> list[ConditionEntry]:
        """All conditions, in the order in which they were made."""
        return self._records.heads()
