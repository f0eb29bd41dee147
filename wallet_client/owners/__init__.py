"""Who owns what the safes keep: a name and a PIN, and what a wallet makes of them."""
