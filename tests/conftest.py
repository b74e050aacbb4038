"""What every kind of test shares: the worked example, loaded once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import hypothesis
import pytest

# A slow machine is no failure, and a run that must stay green draws the same examples each time.
hypothesis.settings.register_profile("steady", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("steady")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def demo_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the worked example in it, to read from only."""
    from dashboard.service import Service
    from data.demo.chain import write_chain
    from data.errors import UserError

    folder = tmp_path_factory.mktemp("demo")
    store = folder / "store"
    manifest = write_chain(folder / "files")
    for delivery, draft, result in Service(store).load(manifest):
        assert not isinstance(result, UserError), (delivery, draft and draft.verdict, result)
    return store


@pytest.fixture
def demo_copy(demo_store: Path, tmp_path: Path) -> Path:
    """A copy of the worked example's store, to change."""
    return Path(shutil.copytree(demo_store, tmp_path / "store"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The published data and the corpus of bad files beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the folder shared/data is not beside this checkout")
    return SHARED
