"""Compute the stored table anew: `python -m dlnlib.completion`. Takes some minutes."""

from dlnlib import _stored
from dlnlib.completion._table import build

if __name__ == "__main__":
    _stored.write(__file__, build())
