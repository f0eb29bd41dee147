"""Backup that chooses by itself, on the command line and at real safes."""

from support.kura import EXAMPLES, KuraInProcess


def test_what_the_conditions_select_is_backed_up_and_nothing_else(kura: KuraInProcess) -> None:
    """What leaves the wallet is what was selected; none selected is a success with a plain sentence."""
    kura.ok("wallet", "import", EXAMPLES / "figure-19.json")
    kura.ok("condition", "edit", "default", "class is movie-ticket")

    receipts = kura.json("backup", "--conditions", "--delete")["receipts"]

    assert [(one["name"], one["state"]) for one in receipts] == [("A", "safe"), ("G", "safe")]
    assert [one["name"] for one in kura.json("wallet", "list")["values"]] == ["C", "E"]
    assert "No condition selects a value" in kura.ok("backup", "--conditions").output
