"""Every store there is, for the contract suite to open."""

from functools import partial
from pathlib import Path

import pytest

from support.store_bench import Opener, sqlite_bench


@pytest.fixture(params=[sqlite_bench], ids=["sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the store of one folder, as often as it is called."""
    return partial(request.param, tmp_path / "data")
