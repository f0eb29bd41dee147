"""One link for each safe, opened when first used."""

import rpc_edge  # noqa: F401 - before grpc

# isort: split

import grpc
import msgspec
import pytest

from rpc_edge.envelope_channel import EnvelopeChannel
from rpc_edge.errors import CertificateUnfit
from support.batches import KEYS
from support.memory_safes import roster_of
from support.sample_documents import draw, key
from support.tls_identities import identity
from trust.ids import SafeId
from trust.roster import Roster
from wallet_client.network.failures import NotInRoster
from wallet_client.network.links import Links


@pytest.fixture(scope="module")
def roster() -> Roster:
    """Two safes with certificates that can be pinned, and one whose certificate is nonsense."""
    plain = roster_of(3, 2)
    safes = list(plain.safes)
    for index in (0, 1):
        certificate = identity(safes[index].name).der
        safes[index] = msgspec.structs.replace(safes[index], tls_certificate=certificate)
    return msgspec.structs.replace(plain, safes=tuple(safes))


async def test_a_safe_has_one_link(roster: Roster) -> None:
    """Its calls can travel together only so."""
    links = Links(roster, KEYS.signing, 5.0)
    one, other = (roster.safes[index].safe_id for index in (0, 1))
    assert links.to(one) is links.to(one)
    assert links.to(one) is not links.to(other)
    assert links.to(other).entry == roster.safes[1]
    await links.close()


async def test_an_owners_link_is_another_each_time(roster: Roster) -> None:
    """It signs with another key; the wallet's own stays as it is."""
    links = Links(roster, KEYS.signing, 5.0)
    one = roster.safes[0].safe_id
    own = links.to(one)
    owners = links.to(one, key("an owner's"))
    assert len({id(link) for link in (own, owners, links.to(one, key("an owner's")))}) == 3
    assert owners.entry == own.entry
    assert links.to(one) is own
    await links.close()


async def test_the_owners_service_is_asked_on_the_same_connection(roster: Roster) -> None:
    """As the wallet by default; once as the owner, for what only the owner may do."""
    links, safe_id, owner = Links(roster, KEYS.signing, 5.0), roster.safes[0].safe_id, key("owner")
    as_wallet, as_owner = links.to_owners(safe_id), links.to_owners(safe_id, owner)
    assert as_wallet is links.to_owners(safe_id)
    assert as_owner is not as_wallet
    callers = [link._caller for link in (as_wallet, as_owner)]
    assert [caller._signing_key for caller in callers] == [KEYS.signing, owner]
    assert callers[0]._channel is callers[1]._channel
    await links.close()


async def test_the_owners_key_is_kept_by_no_link_but_the_one_it_was_given_to(roster: Roster) -> None:
    """The next call is the wallet's again."""
    links, safe_id = Links(roster, KEYS.signing, 5.0), roster.safes[0].safe_id
    links.to_owners(safe_id, key("owner"))
    assert links.to_owners(safe_id)._caller._signing_key == KEYS.signing
    await links.close()


async def test_after_close_a_link_is_opened_anew(roster: Roster) -> None:
    """The old one is of no use."""
    links = Links(roster, KEYS.signing, 5.0)
    old = links.to(roster.safes[0].safe_id)
    await links.close()
    assert links.to(roster.safes[0].safe_id) is not old
    await links.close()


async def test_a_safe_that_left_the_roster_counts_as_failed(roster: Roster) -> None:
    """A receipt may still name it; the other safes serve."""
    links, former = Links(roster, KEYS.signing, 5.0), SafeId(draw("a former safe", 16))
    for open_link in (links.to, links.to_owners):
        with pytest.raises(NotInRoster):
            open_link(former)


async def test_a_certificate_that_cannot_be_pinned_is_that_safes_failure(roster: Roster) -> None:
    """The others are not touched by it."""
    links = Links(roster, KEYS.signing, 5.0)
    for open_link in (links.to, links.to_owners):
        with pytest.raises(CertificateUnfit):
            open_link(roster.safes[2].safe_id)


class FakeCarrier:
    """Counts the channels that it opens; they lead nowhere."""

    def __init__(self) -> None:
        self.opened: list[grpc.aio.Channel] = []

    def gateway(self, roster: Roster) -> None:
        return None

    def open(self, roster: Roster) -> grpc.aio.Channel:
        self.opened.append(grpc.aio.insecure_channel("127.0.0.1:1"))
        return self.opened[-1]


async def test_a_carrier_takes_everything_for_every_safe_over_one_channel(roster: Roster) -> None:
    """In envelopes, to safes whose certificate cannot be pinned as well: it is the carrier that pins."""
    carrier = FakeCarrier()
    links = Links(roster, KEYS.signing, 5.0, carrier)
    callers = [
        link._caller
        for safe in roster.safes
        for link in (
            links.to(safe.safe_id),
            links.to_owners(safe.safe_id),
            links.to(safe.safe_id, key("owner")),
        )
    ]
    assert all(isinstance(caller._channel, EnvelopeChannel) for caller in callers)
    assert len(carrier.opened) == 1
    await links.close()
    assert carrier.opened[0].get_state() is grpc.ChannelConnectivity.SHUTDOWN
    links.to(roster.safes[0].safe_id)
    assert len(carrier.opened) == 2
    await links.close()


async def test_closing_links_that_were_never_used_is_nothing(roster: Roster) -> None:
    """No channel was made."""
    await Links(roster, KEYS.signing, 5.0).close()
