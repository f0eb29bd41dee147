"""What a wallet does with safes: one operation, one file.

An operation takes the Wallet, works through the network links, and writes what must survive a crash
before it acts: plans into the journal, what is owed to a safe into the outbox.
"""
