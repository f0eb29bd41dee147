"""What the wallet keeps on disk: one SQLite database in which nothing readable is stored.

Layers, each on the one below: `store` (open, create, transactions), the repositories (`values`,
`receipts`, `journal`, `outbox`, `keys`, `conditions`, `settings`), `records` (sealed rows), `sealing` and
`database` (SQLite). `keyfile` unlocks the master key, `lock` keeps other processes out.
"""
