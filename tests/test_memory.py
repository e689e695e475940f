"""What a step takes grows with the records by what is compared of them, not by all that they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# 11,000 when this was written, 7,000 from 10,000 records on (100,000 fit 1 GiB: benchmarks/step.py), and 20,000 when
# tables and texts are held
MOST_BYTES_A_RECORD = 16_000
TWO_NIGHTS = """
import sys
from benchmarks.made_texts import make
from benchmarks.step import two_nights
texts = [str(item.text) for item in make(int(sys.argv[1]))[0]]
two_nights(lambda: texts, lambda what: None)
# not getrusage: that begins with what the process had that started this one
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def peak_bytes(records: int) -> int:
    """The most memory that a process takes for two nights of so many records."""
    run = subprocess.run(
        [sys.executable, "-c", TWO_NIGHTS, str(records)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return 1024 * int(run.stdout.splitlines()[-1])


def test_a_record_more_takes_little_memory_more() -> None:
    few, many = 2_500, 6_500
    grown = (peak_bytes(many) - peak_bytes(few)) / (many - few)
    assert 0 < grown < MOST_BYTES_A_RECORD
