"""``python -m lstm_lab`` is the command ``lstm-lab``."""

import sys

from lstm_lab.cli import main

if __name__ == "__main__":
    sys.exit(main())
