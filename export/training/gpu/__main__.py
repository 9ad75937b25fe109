"""Commands of training on a GPU: ``pack``, ``train``, ``sheet`` and ``pace``."""

import sys

from export.training.gpu.commands import main

if __name__ == "__main__":
    main(sys.argv[1:])
