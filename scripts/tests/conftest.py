"""Makes the scripts importable, as they are no package, and finds real sequences."""

import os
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
for folder in (REPOSITORY / "scripts", REPOSITORY / "scripts" / "workflow"):
    sys.path.insert(0, str(folder))


def skip_or_fail(message: str) -> None:
    """Skips the test, and fails it where CI has to have everything."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real sequences; a test that asks for it is skipped where there is none, and fails in CI."""
    named = os.environ.get("SEEDSIEVE_DATA")
    candidates = [Path(named)] if named else []
    candidates.append(REPOSITORY.parent / "shared" / "data")
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    skip_or_fail(f"no real data: none of {', '.join(map(str, candidates))} exists; set SEEDSIEVE_DATA")
    raise AssertionError
