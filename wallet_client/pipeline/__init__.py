"""The one way from values to pieces and back.

    couple -> seal -> divide -> place          and backwards:  gather -> combine -> open -> decouple

Everything here is computation; what goes over the network is in `operations`.
"""
