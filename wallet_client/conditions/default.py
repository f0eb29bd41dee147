"""The condition that every new wallet begins with (the source's initial setting).

It asks what a person would not miss for now, or would not want to lose any more:

- `not usable within 1 month`: a ticket for later, or one that is over, can wait at the safes; this is
  the source's own example, figure 20(b).
- `held-for >= 30 days`: what has stayed for a month is there to stay, and so worth a backup. What
  comes and goes within the month (today's coupon) costs no call to the safes.
- `free < 20% of capacity`: before the wallet is full, everything in it is backed up, so that whatever
  the owner then chooses can leave without a wait. A wallet without a limit never gets there.

The user changes or removes it like any other.
"""

from typing import Final

from wallet_client.conditions.condition import ConditionName, ConditionText

DEFAULT_NAME: Final = ConditionName("default")
DEFAULT_TEXT: Final = ConditionText(
    "not usable within 1 month or held-for >= 30 days or free < 20% of capacity"
)
DEFAULT_NOTE: Final = "Not needed for a month, here to stay, or room is getting short."
