"""Launcher script of a function process: sets the signal to get on the parent's death, then runs AWS's runtime client.

Where AWS_LAMBDA_EXEC_WRAPPER names a program, that is started with the client's command, as on AWS.

Arguments: the parent's process id and the handler. It is run by its path and imports nothing from this package.
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
            raise SystemExit("the parent process exited during startup")
    if wrapper := os.environ.get("AWS_LAMBDA_EXEC_WRAPPER"):
        os.execv(wrapper, [wrapper, sys.executable, "-m", "awslambdaric", handler])  # noqa: S606
    sys.argv = ["awslambdaric", handler]
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
