"""Writes the worked example into a folder: `python -m data.demo FOLDER`."""

import sys
from pathlib import Path

from data.demo.chain import write_chain

if len(sys.argv) != 2:
    sys.exit("Name the folder to write to: python -m data.demo FOLDER")
sys.stdout.write(f"{write_chain(Path(sys.argv[1]))}\n")
