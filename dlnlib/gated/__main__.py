"""Compute the stored runs of the routing network anew: `python -m dlnlib.gated`. Takes some minutes."""

from dlnlib import _stored
from dlnlib.gated._table import build

if __name__ == "__main__":
    _stored.write(__file__, build())
