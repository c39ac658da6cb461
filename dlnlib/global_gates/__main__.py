"""Compute the stored table anew: `python -m dlnlib.global_gates`. Takes some minutes."""

from dlnlib import _stored
from dlnlib.global_gates._table import build

if __name__ == "__main__":
    _stored.write(__file__, build())
