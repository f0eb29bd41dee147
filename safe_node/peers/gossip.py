"""Words from peers: take in what owners and wallets signed and this safe did not hear, or lost.

All peers are asked before anything is believed, so that no one of them decides what is heard first.
"""

from __future__ import annotations

import asyncio
from functools import partial

from rpc_edge.errors import CallFailed
from safe_node.accounts import AdmittedAuthorisation, AdmittedRevocation
from safe_node.decisions.accounts import plan_authorisation, plan_revocation
from safe_node.decisions.undeletion import plan_forgetting, plan_undeletion
from safe_node.decisions.words import AdmittedWord, admit_word, believed_order
from safe_node.deletions import AdmittedForgetting, AdmittedRevival, AdmittedTombstone
from safe_node.handlers.peer_inventory import digest_of
from safe_node.handlers.safe import Safe
from safe_node.peers import state as limits
from safe_node.peers.state import Round
from safe_node.repairs import Word
from trust.errors import TrustError
from trust.ids import Hash, SafeId
from trust.refusals import Refusal

MAX_PAGES = 1_000


async def hear(state: Round) -> None:
    """Ask every peer for its words, and keep those that hold and are new."""
    known = await state.safe.store.peers.words()
    digest = digest_of(known)
    told = await asyncio.gather(*(_told_by(state, peer, digest) for peer in state.peers.entries))
    new = {word: peer for peer, words in zip(state.peers.entries, told, strict=True) for word in words}
    for word in known:
        new.pop(word, None)
    for word in believed_order(new):
        try:
            admitted = await asyncio.to_thread(admit_word, word)
        except TrustError:
            state.suspected.add(new[word])
            continue
        await _take_in(state.safe, admitted)


async def _told_by(state: Round, peer: SafeId, digest: Hash) -> list[Word]:
    words: list[Word] = []
    after, room = 0, limits.TOLD_BYTES
    link = state.peers.to(peer)
    try:
        async with asyncio.timeout(limits.LISTEN_SECONDS):
            for _ in range(MAX_PAGES):
                page = await link.words(state.newest, digest, after)
                room -= limits.held_bytes(page.words)
                if room < 0:
                    state.silent.add(peer)
                    break
                words += page.words
                if page.next <= after:
                    break
                after = page.next
    except (CallFailed, Refusal, TimeoutError):
        state.silent.add(peer)
    return words


async def _take_in(safe: Safe, word: AdmittedWord) -> None:
    """As if its signer had brought it; what this safe's own rules refuse stays out."""
    owners, rules = safe.store.owners, safe.deletion_rules
    try:
        match word:
            case AdmittedAuthorisation():
                await owners.authorise(word, plan_authorisation)
            case AdmittedRevival():
                limit = rules.bytes_per_wallet
                await owners.undelete(word, partial(plan_undeletion, now=rules.now, bytes_per_wallet=limit))
            case AdmittedTombstone():
                await safe.store.delete([word], rules.plan)
            case AdmittedRevocation():
                known_to = len(safe.membership.newest.safes)
                await owners.revoke(word, partial(plan_revocation, safes=known_to))
            case AdmittedForgetting():
                await owners.forget(word, partial(plan_forgetting, rules=rules))
    except Refusal:
        return
