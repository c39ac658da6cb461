"""Compute the stored table anew: `python -m dlnlib.rectified`. Takes about fifteen minutes."""

import json
from pathlib import Path

from dlnlib.rectified._table import build

if __name__ == "__main__":
    text = json.dumps(build(), separators=(",", ":")).replace("},{", "},\n{").replace('],"', '],\n"')
    Path(__file__).with_name("table.json").write_text(text + "\n", encoding="utf-8")
