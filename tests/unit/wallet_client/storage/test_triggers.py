"""What the wallet keeps of triggers, sensors and suspended recoveries, gives back and refuses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.wallet_samples import everything_in, new_wallet
from wallet_client.errors import AlreadyKept
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore
from wallet_client.storage.suspended import Suspension
from wallet_client.storage.triggers import TriggerEntry
from wallet_client.triggers.errors import SensorInvalid, TriggerInvalid, UnknownSensor, UnknownTrigger
from wallet_client.triggers.trigger import TRIGGERS_MAX, History, Trigger, new_trigger
from wallet_client.values.value import ValueId

NOW = 1_700_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[WalletStore]:
    """An empty wallet."""
    with new_wallet(tmp_path) as opened:
        yield opened


def made(name: str = "nightly") -> Trigger:
    """One trigger."""
    return new_trigger(name, ["at 02:00", "sensor wifi"], "backup", policy="apart", now=NOW)


def test_a_trigger_comes_back_with_its_history(store: WalletStore) -> None:
    """In the order made, whatever is noted."""
    for name in ("bbb", "aaa"):
        store.triggers.add(made(name))
    history = History().begun(NOW).served("done", ["r-1"]).begun(NOW + 5).failed("no")
    store.triggers.note("bbb", history)
    assert store.triggers.entries() == [TriggerEntry(made("bbb"), history), TriggerEntry(made("aaa"))]


def test_everything_is_sealed(store: WalletStore, tmp_path: Path) -> None:
    """Neither names nor phrases nor commands are readable in the folder."""
    store.triggers.add(made("visits-to-grandma"))
    store.sensors.put("at-grandmas", ("ping", "grandma.example"))
    store.suspended.put(Suspension(value_id=ValueId("v-grandma"), delete_receipt=False, since=NOW))
    assert b"grandma" not in everything_in(tmp_path)


def test_it_is_there_when_the_wallet_is_opened_again(tmp_path: Path) -> None:
    """All three kinds."""
    waiting = Suspension(value_id=ValueId("v-1"), delete_receipt=True, since=NOW)
    with new_wallet(tmp_path) as store:
        store.triggers.add(made())
        store.sensors.put("wifi", ("true",))
        store.suspended.put(waiting)
    with WalletStore.open(tmp_path, NoPassphrase()) as store:
        assert store.triggers.entry("nightly").trigger == made()
        assert store.sensors.commands() == {"wifi": ("true",)}
        assert store.suspended.entries() == [waiting]


def test_a_name_is_taken_once(store: WalletStore) -> None:
    """The first stays as it is; what was removed is unknown."""
    store.triggers.add(made())
    with pytest.raises(AlreadyKept):
        store.triggers.add(made())
    store.triggers.remove("nightly")
    for unknown in (store.triggers.entry, store.triggers.remove):
        with pytest.raises(UnknownTrigger, match="no trigger nightly"):
            unknown("nightly")
    with pytest.raises(UnknownTrigger):
        store.triggers.note("nightly", History())


def test_triggers_are_bounded(store: WalletStore) -> None:
    """A hundred are enough for anybody."""
    with store.transaction():
        for number in range(TRIGGERS_MAX):
            store.triggers.add(made(f"t{number}"))
    with pytest.raises(TriggerInvalid, match="one more than 100"):
        store.triggers.add(made("too-many"))


def test_a_command_is_named_and_named_anew(store: WalletStore) -> None:
    """The last naming counts."""
    store.sensors.put("battery", ("cat", "/level"))
    store.sensors.put("battery", ("cat", "/other level"))
    assert store.sensors.commands() == {"battery": ("cat", "/other level")}
    store.sensors.remove("battery")
    with pytest.raises(UnknownSensor, match="no sensor battery"):
        store.sensors.remove("battery")


@pytest.mark.parametrize(
    ("name", "command", "said"),
    [
        pytest.param("Wifi", ("true",), "a name is", id="a name that is none"),
        pytest.param("wifi", (), "no command", id="no command"),
        pytest.param("wifi", ("", "x"), "no command", id="an empty program"),
        pytest.param("wifi", ("x",) * 51, "4000 characters", id="too many arguments"),
        pytest.param("wifi", ("x" * 4_001,), "4000 characters", id="a command too long"),
        pytest.param("wifi", ("echo", "a\0b"), "NUL", id="what no program can be given"),
    ],
)
def test_a_command_that_cannot_be_run_is_refused(
    store: WalletStore, name: str, command: tuple[str, ...], said: str
) -> None:
    """When it is named, not when it is asked."""
    with pytest.raises(SensorInvalid, match=said):
        store.sensors.put(name, command)
    assert store.sensors.commands() == {}


def test_sensors_are_bounded(store: WalletStore) -> None:
    """One that is there may still be named anew."""
    with store.transaction():
        for number in range(100):
            store.sensors.put(f"s{number}", ("true",))
    store.sensors.put("s7", ("false",))
    with pytest.raises(SensorInvalid, match="100 already"):
        store.sensors.put("too-many", ("true",))


def test_a_value_is_suspended_once(store: WalletStore) -> None:
    """As it was asked for last, in its old place."""
    for name in ("v-1", "v-2"):
        store.suspended.put(Suspension(value_id=ValueId(name), delete_receipt=False, since=NOW))
    store.suspended.put(Suspension(value_id=ValueId("v-1"), delete_receipt=True, since=NOW))
    assert [(one.value_id, one.delete_receipt) for one in store.suspended.entries()] == [
        ("v-1", True),
        ("v-2", False),
    ]
    assert [store.suspended.discard(ValueId("v-1")), store.suspended.discard(ValueId("v-1"))] == [True, False]
