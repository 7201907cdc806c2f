# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record what validation needs of one version of the zero-to-jupyterhub chart.

python scripts/record_chart.py CHART --version V [--requirements FILE]
"""

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parent.parent
CHARTS = CHECKOUT / "roles" / "hub" / "files" / "charts"
#: Packages of the image without configuration, which pip would have to compile.
EXCLUDED = ("psycopg2", "pycurl")
#: The tag of images in a chart that is not released yet.
PLACEHOLDER = "set-by-chartpress"


def main() -> int:
    """Write the record of one version."""
    parser = argparse.ArgumentParser(description="Record one version of the zero-to-jupyterhub chart.")
    parser.add_argument("chart", type=Path, help="directory or .tgz of the chart")
    parser.add_argument("--version", required=True, help="version of the chart")
    parser.add_argument(
        "--requirements",
        type=Path,
        help="requirements.txt of the hub's image; default: images/hub/requirements.txt beside the chart's directory",
    )
    parser.add_argument("--python", help="interpreter of the Python version that the requirements name")
    arguments = parser.parse_args()
    requirements = arguments.requirements or arguments.chart.resolve().parent / "images/hub/requirements.txt"
    for path in (arguments.chart, requirements):
        if not path.exists():
            parser.error(f"{path} does not exist")

    about = read_about(arguments.chart, requirements, arguments.version)
    traits = read_traits(requirements, arguments.python or about["python"])
    write(
        CHARTS / arguments.version,
        {
            "values.schema.json": without_descriptions(read_schema(arguments.chart)),
            "values.json": with_version(yaml.safe_load(read(arguments.chart, "values.yaml")), arguments.version),
            "traits.json": traits,
            "about.json": about,
        },
    )
    return 0


def read(chart: Path, name: str) -> str:
    """Return the text of a file of the chart; raise FileNotFoundError if there is none."""
    if chart.is_dir():
        return (chart / name).read_text(encoding="utf-8")
    with tarfile.open(chart) as archive:
        for member in archive:
            # The chart's own files are in one directory; those of its dependencies are in subdirectories.
            file = archive.extractfile(member) if member.name.split("/")[1:] == [name] else None
            if file:
                return file.read().decode("utf-8")
    raise FileNotFoundError(f"{chart} has no {name}")


def read_schema(chart: Path) -> Any:
    """Return the chart's schema: packaged as JSON, in its repository as YAML."""
    try:
        return json.loads(read(chart, "values.schema.json"))
    except FileNotFoundError:
        return yaml.safe_load(read(chart, "values.schema.yaml"))


def without_descriptions(schema: Any) -> Any:
    """Return a JSON schema without the keyword ``description``; properties of that name stay."""
    if isinstance(schema, list):
        return [without_descriptions(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    shorter: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in ("properties", "patternProperties", "definitions", "$defs"):
            shorter[keyword] = {name: without_descriptions(entry) for name, entry in value.items()}
        elif keyword in ("enum", "const", "default", "required"):
            shorter[keyword] = value
        elif keyword != "description":
            shorter[keyword] = without_descriptions(value)
    return shorter


def with_version(values: Any, version: str) -> Any:
    """Return the default values with the image tags of the release."""
    if isinstance(values, dict):
        return {name: with_version(value, version) for name, value in values.items()}
    if isinstance(values, list):
        return [with_version(value, version) for value in values]
    return version if values == PLACEHOLDER else values


def read_about(chart: Path, requirements: Path, version: str) -> dict[str, Any]:
    """Return the versions that a chart version consists of."""
    metadata = yaml.safe_load(read(chart, "Chart.yaml"))
    text = requirements.read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", text, re.MULTILINE))
    # pip-compile writes the Python version into the file.
    python = re.search(r"with Python (\d+\.\d+)", text)
    if not python:
        raise ValueError(f"{requirements}: no line names the Python version")
    return {
        "chart": version,
        "jupyterhub": pins["jupyterhub"],
        "kubespawner": pins["jupyterhub-kubespawner"],
        "oauthenticator": pins["oauthenticator"],
        "kubeVersion": metadata["kubeVersion"],
        "python": python.group(1),
        "recorded": datetime.date.today().isoformat(),
    }


def read_traits(requirements: Path, python: str) -> Any:
    """Return the output of scripts/describe_traits.py for the image's packages."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    # Every package is pinned; --no-deps keeps the excluded ones out.
    return described("\n".join(line for line in lines if not line.startswith(EXCLUDED)), python)


def described(requirements: str, python: str, modules: tuple[str, ...] = (), path: str = "") -> Any:
    """Return the output of scripts/describe_traits.py in a new environment.

    requirements: every package with its version. modules: describe these, too; they are in the directory ``path``.
    """
    with tempfile.TemporaryDirectory() as directory:
        environment, result = Path(directory, "environment"), Path(directory, "traits.json")
        pins = Path(directory, "requirements.txt")
        pins.write_text(requirements, encoding="utf-8")
        interpreter = environment / "bin" / "python"
        uv = find_uv()
        run(uv, "venv", "--quiet", "--python", python, environment)
        run(uv, "pip", "install", "--quiet", "--no-deps", "--python", interpreter, "--requirement", pins)
        run(interpreter, CHECKOUT / "scripts" / "describe_traits.py", result, *modules, PYTHONPATH=path)
        return json.loads(result.read_text(encoding="utf-8"))


def find_uv() -> str:
    """Return the path of uv, preferably next to this Python."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if not uv:
        raise FileNotFoundError("uv is not installed; run make setup")
    return uv


def run(*command: object, **variables: str) -> None:
    """Run a command with additional environment variables; raise CalledProcessError if it fails."""
    subprocess.run([str(word) for word in command], env={**os.environ, **variables}, check=True)


def write(directory: Path, files: dict[str, Any]) -> None:
    """Write JSON with one value per line, for readable differences between versions."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
        (directory / name).write_text(text, encoding="utf-8")
        print(f"{directory / name}: {len(text)} characters")


if __name__ == "__main__":
    sys.exit(main())
