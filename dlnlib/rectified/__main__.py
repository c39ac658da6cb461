"""Compute the stored table anew: `python -m dlnlib.rectified`. Takes about fifteen minutes."""

from dlnlib import _stored
from dlnlib.rectified._table import build

if __name__ == "__main__":
    _stored.write(__file__, build())
