"""Have the owner's authority say to the safes who is there: the factor `authority` of one guess."""

from trust.login import Login
from wallet_client.operations.authority import at_authority
from wallet_client.operations.authority_errors import NotLoggedIn
from wallet_client.owners.factors import Asserted, AuthorityLogin
from wallet_client.owners.names import OwnerName
from wallet_client.wallet import Wallet


async def asserted_for(wallet: Wallet, name: OwnerName, proof: AuthorityLogin, login: Login) -> Asserted:
    """The authority's word, for all safes of the roster, that the owner was authenticated just now.

    Args:
        wallet: Pins the authority.
        name: The owner's, which is also that of the account.
        proof: Secret: its password, where the wallet has no session.
        login: The guess.

    Raises:
        NoAuthority, NotLoggedIn, AuthorityFailed: It cannot be had.
    """
    async with at_authority(wallet, proof.signed) as desk:
        if proof.password is not None:
            await desk.log_in(name, proof.password)
        if desk.account.name != name.text:
            raise NotLoggedIn
        signed = await desk.assertion(login)
        return Asserted(signed.to_bytes(), desk.account.authority)
