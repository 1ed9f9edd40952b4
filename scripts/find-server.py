"""Which servers there are for the demo and the tests; for scripts/setup.sh.

Without arguments: exit code 0 when this machine has a complete server of its own, else 1 and what is missing.
With --missing-for-tests: prints the versions that the tests want and can't find.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.servers import MAJORS, find_server

from partwarden.errors import NotInstalled
from partwarden.local.installation import choose_installation


def main() -> int:
    if "--missing-for-tests" in sys.argv:
        print(*[major for major in MAJORS if find_server(major) is None])
        return 0
    try:
        choose_installation()
    except NotInstalled as missing:
        print(missing)
        return 1
    # PL/Python runs on the system's Python, wherever ours comes from.
    botocore = subprocess.run(["/usr/bin/python3", "-c", "import botocore"], capture_output=True, check=False)
    if botocore.returncode != 0:
        print("the server's Python has no botocore: sudo apt-get install python3-boto3")
    return botocore.returncode


sys.exit(main())
