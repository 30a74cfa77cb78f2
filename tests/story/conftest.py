import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from house import Server, fresh  # noqa: E402


@pytest.fixture(scope="session")
def server():
    """One for all stories that leave nothing behind but streams of their own."""
    with Server() as running:
        yield running


@pytest.fixture
def name():
    return fresh()
