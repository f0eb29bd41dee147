"""The third act: device, receipts and keys are gone; a name and a PIN bring everything back.

Then a thief comes with the old device's folder: the owner reseeds, and what the thief has opens nothing,
neither at the safes nor in their databases.
"""

import json
import secrets
import shlex
import shutil
import subprocess
import sys

from tools.demo.backup_act import KILLED, exported
from tools.demo.kura import Kura, expect, figure, step

OWNER = "anna"
_THIEF = "tools.demo.thief"


def tell_owner(kura: Kura) -> tuple[Kura, str]:
    """Go on where the second act ended: two safes are down, the wallet is whole.

    Returns:
        The owner's new device, and the PIN, which is secret.

    Raises:
        DemoFailed: A step did not go as it must.
    """
    before = exported(kura, "whole.json")
    pin = f"{secrets.randbelow(10**6):06}"

    step(12, "The safes are back, and the owner enrols: from now on a name and a PIN bring everything back")
    kura("cluster", "up", "--dir", "safes", output=False)
    kura("owner", "enroll", OWNER, typed=f"{pin}\n{pin}\n")
    kura("backup", "--all", "--delete", output=False)
    kura("owner", "status")

    step(13, "Disaster again: a thief takes the device with everything on it, and two safes are killed")
    shutil.copytree(kura.home, kura.folder / "stolen")
    shutil.rmtree(kura.home)
    for name in KILLED:
        kura.quietly("cluster", "kill", name, "--dir", "safes")
    figure("nothing is left but a name, a PIN, and three safes")

    step(14, "On a new device the owner types the name, and the PIN when it is asked for")
    phone = Kura(kura.folder, "phone")
    recovered = phone("owner", "recover", OWNER, "--roster", "safes/roster.json", typed=f"{pin}\n")
    expect(exported(phone, "phone.json") == before, "recovering", "a value differs from what was backed up")
    figure(f"{len(before)} values, found and opened with a PIN in {recovered.seconds:.1f} s: no difference")

    thief = Kura(kura.folder, "stolen", kura.passphrase)
    opened = _searched(thief)
    step(15, "The thief has the old wallet unlocked, and copies of all five databases")
    figure(f"{opened} values in the databases open with the old wallet's keys")
    expect(opened >= len(before), "searching the databases", "the old keys should still open everything")

    step(16, "The owner brings in a new root: everything is sealed anew, the old device is shut out")
    phone("cluster", "up", "--dir", "safes", output=False)
    phone("reseed", "--root", typed=f"{pin}\n")
    phone("owner", "wallets")

    step(17, "The thief tries: at the safes, and in their databases")
    code, refused = _shown(thief, "recover", "--all")
    expect(code == 1 and not exported(thief, "stolen.json"), "recovering as the thief", "something came back")
    expect("revoked this wallet" in refused, "recovering as the thief", refused)
    left = _searched(thief)
    expect(left == 0, "searching the databases", f"{left} values open with the old wallet's keys")
    figure("0 values in the databases open with the old wallet's keys")
    expect(exported(phone, "reseeded.json") == before, "comparing", "a value differs from what was backed up")
    return phone, pin


def _shown(kura: Kura, *arguments: str) -> tuple[int, str]:
    """A command that is to fail, with what it prints."""
    print(f"\n   $ kura {shlex.join(arguments)}", flush=True)
    code, outcome = kura.attempt(*arguments)
    for line in (outcome.output + outcome.warnings).splitlines():
        print(f"     {line}")
    return code, outcome.warnings


def _searched(thief: Kura) -> int:
    """How many values in the databases open with what is in a stolen wallet."""
    databases = sorted(str(path) for path in (thief.folder / "safes").glob("safe-*/data/safe.db"))
    done = subprocess.run(
        [sys.executable, "-m", _THIEF, str(thief.home), *databases],
        input=thief.passphrase,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return int(json.loads(done.stdout)["opened"])
