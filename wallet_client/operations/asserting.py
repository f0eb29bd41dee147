"""Have the owner's authority say to the safes who is there: the factor `authority` of one guess."""

from wallet_client.operations.authority import at_authority
from wallet_client.operations.authority_errors import NotLoggedIn
from wallet_client.owners.factors import Asserted, AuthorityLogin
from wallet_client.owners.names import OwnerName
from wallet_client.wallet import Wallet


async def asserted_for(
    wallet: Wallet, name: OwnerName, login: AuthorityLogin, recipient_key: bytes
) -> Asserted:
    """The authority's word, for all safes of the roster, that the owner was authenticated just now.

    Args:
        wallet: Pins the authority.
        name: The owner's, which is also that of the account.
        login: Secret: its password, where the wallet has no session.
        recipient_key: X25519 public key to which the safes are to seal, 32 bytes.

    Raises:
        NoAuthority, NotLoggedIn, AuthorityFailed: It cannot be had.
    """
    audience = tuple(safe.safe_id for safe in wallet.roster.safes)
    async with at_authority(wallet, login.signed) as desk:
        if login.password is not None:
            await desk.log_in(name, login.password)
        if desk.account.name != name.text:
            raise NotLoggedIn
        signed, _ = await desk.assertion(audience, recipient_key)
        return Asserted(signed.to_bytes(), desk.account.authority)
