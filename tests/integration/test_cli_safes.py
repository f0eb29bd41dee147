"""`kura safes`: what each of five real safes holds, and a wiped one that is made whole by the others."""

from support.cluster import LocalCluster
from support.kura import EXAMPLES, KuraInProcess

WIPED = "safe-5"


def test_a_wiped_safe_is_shown_and_made_whole(kura: KuraInProcess, cluster: LocalCluster) -> None:
    """Status names what it lacks; repair has it back; what one safe had alone is marked."""
    kura.json("wallet", "import", EXAMPLES / "figure-19.json")
    kura.json("backup", "--all")
    before = {row["safe"]: row for row in kura.json("safes", "status")["safes"]}
    assert {(row["held"], row["pieces"]) for row in before.values()} == {(4, 4)}
    cluster.wipe(WIPED)
    lost = {row["safe"]: row for row in kura.json("safes", "status")["safes"]}[WIPED]
    assert (lost["held"], len(lost["lacking"]), lost["unrepairable"]) == (0, 4, [])
    whole = {row["safe"]: row for row in kura.json("safes", "repair")["safes"]}[WIPED]
    assert (whole["held"], whole["lacking"], whole["repaired_by_safe"] >= 4) == (4, [], True)
    assert not whole["repairing"]
    cluster.kill("safe-1")
    shown = kura("safes", "status").output
    assert "4 of 4" in shown
    assert "does not answer" in shown
