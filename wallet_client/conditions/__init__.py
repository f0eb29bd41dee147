"""Backup conditions: which values a wallet backs up by itself.

A condition is a short sentence over a value's fields and the wallet's state, such as
`class is movie-ticket and not usable within 1 month` (docs/CONDITIONS.md has every word). It is read
once, by a grammar that knows the kind of each field, so that what makes no sense is refused when the
condition is made; judging it reads no file and no clock.

Source: PCT/JP00/05439, eleventh embodiment (backup condition storage means 158 and backup object
extracting means 159), figures 19 and 20.
"""
