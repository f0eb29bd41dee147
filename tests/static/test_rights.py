"""Every method of a safe, and of an authority, has a row that says who may call it."""

from auth_service.handlers import rights as authority
from kura.auth.v1 import auth_pb2
from kura.safe.v1 import owner_pb2, peer_pb2, safe_pb2
from safe_node.handlers.rights import OPEN_METHODS, RIGHTS, SIGNED_AT_WILL, Right
from support.calls import every_method
from support.rpc_table import ROWS

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
    assert {path.rpartition("/")[2] for path in SIGNED_AT_WILL} == {"Unlock"}
    assert {path.rpartition("/")[2] for path in OPEN_METHODS} == {
        "Describe",
        "Carry",
        "BeginUnlock",
        "Evaluate",
    }


def test_every_right_is_somebodys() -> None:
    assert set(RIGHTS.values()) == set(Right)


def test_every_method_of_an_authority_has_a_right_and_all_but_two_are_sealed() -> None:
    """What is public is named here a second time: nothing about an owner is asked in clear by a slip."""
    service = auth_pb2.DESCRIPTOR.services_by_name["AuthService"]
    methods = {f"/{service.full_name}/{method.name}": method for method in service.methods}
    assert set(methods) == set(authority.RIGHTS)
    sealed = {
        path
        for path, method in methods.items()
        if [field.message_type and field.message_type.name for field in method.input_type.fields]
        == ["SealedQuestion"]
    }
    public = {path for path, right in authority.RIGHTS.items() if right is authority.Right.PUBLIC}
    assert {path.rpartition("/")[2] for path in public} == {"Describe", "OpenPath"}
    assert sealed == set(methods) - public


def test_every_method_is_called_by_everybody_who_may_not() -> None:
    """A new RPC fails here until the matrix has a row that says what each caller gets."""
    missing, left_over = every_method().keys() - ROWS.keys(), ROWS.keys() - every_method().keys()
    assert not missing, f"add rows to ROWS in tests/support/rpc_table.py: {sorted(missing)}"
    assert not left_over, f"the contract has no such methods, take their rows out: {sorted(left_over)}"
