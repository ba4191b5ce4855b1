"""The first thing in a function's process: tie it to its parent's life, then become AWS's runtime client.

Run by its path, with the parent's process id and the handler; nothing of this package is imported.
"""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, handler = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(parent):
            raise SystemExit("the parent died meanwhile")
    sys.argv = ["awslambdaric", handler]
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
