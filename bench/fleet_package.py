"""How big the package of the fleet's functions is, and how long its code takes to import in a fresh process.

``python -m bench.fleet_package`` fetches the libraries from the package index. The time is that of this machine and of this
Python, with the libraries that are installed here, and nothing compiled beforehand, as in Lambda. It is no cold start of
Lambda's: there the share of a processor is smaller, and the function's environment has to be made first.
"""

from __future__ import annotations

import io
import platform
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from tests.aws.fleet.installed import package_for_here

from partwarden.aws.fleet.package import RUNTIME, Architecture, Package, build, fetch_libraries

# Amazon's bundle for all regions has some 165 KB.
_CERTIFICATES = b"-" * 165_000
_ARCHITECTURES: Final[tuple[Architecture, ...]] = ("arm64", "x86_64")
_RUNS = 7
_IMPORTS = {
    "dispatcher": "partwarden.aws.fleet.dispatcher",
    "worker": "partwarden.aws.fleet.worker, partwarden.aws.credentials",  # the second at the first login
}
_PROGRAM = """
import sys, time
sys.path[:0] = [{package!r}]
sys.path.append({runtime!r})
began, cpu = time.perf_counter(), time.process_time()
import boto3
runtime, runtime_cpu = time.perf_counter() - began, time.process_time() - cpu
import {modules}
print(runtime, time.perf_counter() - began - runtime, time.process_time() - cpu - runtime_cpu)
"""


def main() -> None:
    """Print both."""
    for architecture in _ARCHITECTURES:
        made = build(fetch_libraries(architecture), _CERTIFICATES)
        zipped = len(made.to_zip())
        print(
            f"package for python{RUNTIME} on {architecture}: {zipped / 1e6:.2f} MB zipped, "
            f"{made.unpacked_bytes / 1e6:.2f} MB unpacked, {len(made.contents)} files"
        )
        for folder, size in _largest(made):
            print(f"    {size / 1e6:6.2f} MB  {folder}")
    here = package_for_here(_CERTIFICATES.decode())
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(io.BytesIO(here.to_zip())) as archive:
        archive.extractall(folder)
        for name, modules in _IMPORTS.items():
            runtime, ours, cpu = _import_times(Path(folder), modules)
            print(
                f"import of the {name}, python{platform.python_version()} on {platform.machine()}, fresh process, "
                f"median of {_RUNS}: {ours * 1000:.0f} ms ({cpu * 1000:.0f} ms of processor), after boto3, "
                f"{runtime * 1000:.0f} ms"
            )


def _largest(package: Package) -> list[tuple[str, int]]:
    sizes: dict[str, int] = {}
    for name, content in package.contents.items():
        top = name.partition("/")[0]
        sizes[top] = sizes.get(top, 0) + len(content)
    return sorted(sizes.items(), key=lambda each: -each[1])[:5]


def _import_times(package: Path, modules: str) -> tuple[float, float, float]:
    program = _PROGRAM.format(package=str(package), runtime=sysconfig.get_path("purelib"), modules=modules)
    runs = []
    for _ in range(_RUNS):
        answer = subprocess.run([sys.executable, "-S", "-B", "-c", program], capture_output=True, text=True, check=True)
        runs.append(tuple(map(float, answer.stdout.split())))
    runtime, ours, cpu = (statistics.median(column) for column in zip(*runs, strict=True))
    return runtime, ours, cpu


if __name__ == "__main__":
    main()
