"""A PKCS#11 token answers as a device: SoftHSM2 through python-pkcs11, where both are installed."""

import importlib.util
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from support.safe_requests import seeded
from support.sample_documents import draw
from threshold import hpke
from trust.ids import Hash, OwnerId
from wallet_client.devices.token import TokenDevice, TokenName
from wallet_client.owners.devices import DeviceQuestion, register_device
from wallet_client.owners.errors import DeviceFailed

GENESIS = Hash(draw("genesis", 32))
ANNA, BERTA = OwnerId(draw("anna", 32)), OwnerId(draw("berta", 32))
MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "1234"
with_token = pytest.mark.skipif(
    not (MODULE.exists() and which("softhsm2-util") and importlib.util.find_spec("pkcs11")),
    reason="needs a token: apt-get install softhsm2, and pip install kura[pkcs11]",
)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh SoftHSM2 token of this test's own, by name."""
    folder = tmp_path_factory.mktemp("softhsm")
    config = folder / "softhsm2.conf"
    (folder / "tokens").mkdir()
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(config)
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "anna", "--pin", PIN, "--so-pin", "12345678"],
        check=True,
        capture_output=True,
    )
    yield f"pkcs11:token=anna?module-path={MODULE}"
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def question(owner_id: OwnerId = ANNA) -> DeviceQuestion:
    """One like any other."""
    return DeviceQuestion(GENESIS, owner_id, draw("challenge", 32))


@with_token
def test_a_token_registers_answers_and_makes_its_secret_again(token: str) -> None:
    """The same keys when it is asked again; others for another owner."""
    device = TokenDevice.open(token, PIN)
    known = register_device(device, GENESIS, ANNA, "token", seeded("register"))
    again = register_device(device, GENESIS, ANNA, "token", seeded("register again"))
    assert known == again
    answer = device.answer(question())
    assert answer.credential_id == known.credential_id
    assert hpke.derive_key_pair(answer.secret).public == known.wrapping_key
    assert known.verifies
    other = register_device(device, GENESIS, BERTA, "token", seeded("register berta"))
    assert other.wrapping_key != known.wrapping_key
    assert other.credential != known.credential


@with_token
def test_what_a_token_refuses_is_told(token: str) -> None:
    """Without its PIN, an owner, or the token itself."""
    with pytest.raises(DeviceFailed, match="PIN is another"):
        TokenDevice.open(token, "4321").answer(question())
    with pytest.raises(DeviceFailed, match="no key for this owner"):
        TokenDevice.open(token, PIN).answer(question(OwnerId(draw("nobody", 32))))
    with pytest.raises(DeviceFailed, match="NoSuchToken"):
        TokenDevice.open(token.replace("anna", "berta"), PIN).answer(question())


@pytest.mark.parametrize(
    "text",
    ["pkcs11:", "pkcs11:token=", "pkcs11:token=anna", "pkcs11:?module-path=/x", "pkcs11:object=a;token="],
)
def test_a_text_that_names_no_token_is_refused(text: str) -> None:
    """Before anything is loaded."""
    with pytest.raises(DeviceFailed, match="a token is named"):
        TokenDevice.open(text, PIN)


def test_a_token_is_named_as_rfc_7512_has_it() -> None:
    """With percent signs, and other attributes beside."""
    read = TokenName.read("pkcs11:manufacturer=x;token=my%20token?module-path=/usr/lib/x.so")
    assert (read.label, read.module) == ("my token", "/usr/lib/x.so")
