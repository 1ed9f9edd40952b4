"""Put the Lambda functions' source into the templates that have it inline; ``--check`` only says whether it is there.

A template marks the place by a comment, ``# inlined by scripts/inline-functions.py: FILE``, before its ``ZipFile: |``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "src" / "partwarden" / "aws"

_PLACE = re.compile(
    r"^(?P<indent> *)# inlined by scripts/inline-functions\.py: (?P<file>[\w.]+)\n"
    r"(?P=indent)ZipFile: \|\n(?:(?P=indent)  .*\n|\n)*",
    re.MULTILINE,
)


def inlined(template: str) -> str:
    """The template with the source of today in each marked place."""

    def fill(place: re.Match[str]) -> str:
        indent, file = place["indent"], place["file"]
        lines = (FOLDER / file).read_text(encoding="utf-8").splitlines()
        body = "\n".join(f"{indent}  {line}" if line else "" for line in lines)
        return f"{indent}# inlined by scripts/inline-functions.py: {file}\n{indent}ZipFile: |\n{body}\n\n"

    return _PLACE.sub(fill, template)


def main() -> int:
    """Exit code 1 when ``--check`` finds a difference."""
    check = "--check" in sys.argv[1:]
    differs = False
    for path in sorted(FOLDER.glob("*.yaml")):
        before = path.read_text(encoding="utf-8")
        after = inlined(before)
        if before != after:
            differs = True
            print(f"{path.name}: {'differs from its source' if check else 'refreshed'}")
            if not check:
                path.write_text(after, encoding="utf-8")
    return int(check and differs)


if __name__ == "__main__":
    sys.exit(main())
