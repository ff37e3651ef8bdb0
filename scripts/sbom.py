"""The bill of materials of a wheel, in CycloneDX's form: what an environment holds that has it and all its extras, and
what others wrote that lies in the wheel itself. ``sbom.py PYTHON WHEEL FILE``.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[1]
SPECIFICATION = SchemaVersion.V1_6


def materials(python: Path, wheel: Path) -> dict[str, Any]:
    """The document for this wheel, installed with all extras in the environment of ``python``. The same for the same
    packages: it bears no time, no number of its own and no place.

    subprocess.CalledProcessError where the environment cannot be read.
    """
    found: dict[str, Any] = json.loads(
        subprocess.run(
            [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--of", "JSON", "--sv",
             SPECIFICATION.to_version(), "--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application",
             str(python)],
            check=True, capture_output=True, text=True,
            env={name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"},
        ).stdout
    )  # fmt: skip
    main = found["metadata"]["component"]
    main["version"] = wheel.name.split("-")[1]
    main["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]
    inside = [_inside(one) for one in tomllib.loads((ROOT / "scripts" / "licences.toml").read_text("utf-8"))["inside"]]
    main["components"] = inside
    found["dependencies"] += [{"ref": one["bom-ref"]} for one in inside]
    return found


def _inside(one: dict[str, str]) -> dict[str, Any]:
    made = {
        "bom-ref": one["purl"],
        "type": "library",
        "name": one["name"],
        "purl": one["purl"],
        "licenses": [{"license": {"id": one["licence"]}}],
        "evidence": {"occurrences": [{"location": f"sscard/{one['file']}"}]},
    }
    return made | ({"version": one["version"]} if "version" in one else {})


def written(document: dict[str, Any]) -> str:
    """The document as a file. ValueError where CycloneDX's own schema refuses it."""
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    if wrong := JsonStrictValidator(SPECIFICATION).validate_str(text):
        raise ValueError(f"the bill of materials does not hold to CycloneDX's schema: {wrong}")
    return text


def main() -> None:
    """Writes the document of an environment and a wheel."""
    if len(sys.argv) != 4:
        raise SystemExit("expected PYTHON WHEEL FILE")
    python, wheel, file = (Path(one).absolute() for one in sys.argv[1:])
    file.write_text(written(materials(python, wheel)), encoding="utf-8")


if __name__ == "__main__":
    main()
