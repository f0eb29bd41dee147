"""Every method of a safe has a row that says who may call it."""

from kura.safe.v1 import owner_pb2, peer_pb2, safe_pb2
from safe_node.handlers.rights import OPEN_METHODS, RIGHTS, Right

SERVICES = (
    safe_pb2.DESCRIPTOR.services_by_name["SafeService"],
    owner_pb2.DESCRIPTOR.services_by_name["OwnerService"],
    peer_pb2.DESCRIPTOR.services_by_name["PeerService"],
)


def test_every_method_has_a_right_and_no_right_is_without_its_method() -> None:
    """A new RPC fails here until somebody decides."""
    methods = {f"/{service.full_name}/{method.name}" for service in SERVICES for method in service.methods}
    assert methods == set(RIGHTS)


def test_what_is_open_to_all_is_what_the_contract_says() -> None:
    """Named here a second time, so that nothing is opened by a slip."""
    assert {path.rpartition("/")[2] for path in OPEN_METHODS} == {
        "Describe",
        "Carry",
        "BeginUnlock",
        "Evaluate",
        "Unlock",
    }


def test_every_right_is_somebodys() -> None:
    assert set(RIGHTS.values()) == set(Right)
