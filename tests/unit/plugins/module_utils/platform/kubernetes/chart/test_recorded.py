# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of the chart: what is in them, and whether they tell the truth about JupyterHub's classes."""

from __future__ import annotations

import importlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.config_classes import Trait, traits_of
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.recorded import (
    Recorded,
    read,
    versions,
)

CHECKOUT = Path(__file__).parents[7]
CHARTS = str(CHECKOUT / "roles" / "hub" / "files" / "charts")
PUBLISHED = CHECKOUT.parent / "shared" / "data" / "z2jh" / "near-4.3.3"
NEWEST = versions(CHARTS)[-1]
#: class -> module, of what the tests' environment holds too.
CLASSES = {
    "JupyterHub": "jupyterhub.app",
    "Authenticator": "jupyterhub.auth",
    "DummyAuthenticator": "jupyterhub.auth",
    "LocalAuthenticator": "jupyterhub.auth",
    "PAMAuthenticator": "jupyterhub.auth",
    "SharedPasswordAuthenticator": "jupyterhub.authenticators.shared",
    "Spawner": "jupyterhub.spawner",
    "CryptKeeper": "jupyterhub.crypto",
    "ConfigurableHTTPProxy": "jupyterhub.proxy",
    "KubeSpawner": "kubespawner",
    "OAuthenticator": "oauthenticator.oauth2",
    "GitHubOAuthenticator": "oauthenticator.github",
    "GoogleOAuthenticator": "oauthenticator.google",
    "CILogonOAuthenticator": "oauthenticator.cilogon",
    "GenericOAuthenticator": "oauthenticator.generic",
    "Auth0OAuthenticator": "oauthenticator.auth0",
    "LTI11Authenticator": "ltiauthenticator.lti11.auth",
    "LTI13Authenticator": "ltiauthenticator.lti13.auth",
    "NativeAuthenticator": "nativeauthenticator",
    "TmpAuthenticator": "tmpauthenticator",
}
#: A value of every JSON type; 1 would do as true.
SAMPLES: dict[str, Any] = {"text": "a", "int": 2, "number": 1.5, "bool": True, "list": [], "dict": {}}


@pytest.fixture(params=versions(CHARTS))
def recorded(request: pytest.FixtureRequest) -> Recorded:
    return read(CHARTS, request.param)


def write_record(directory: Path, version: str) -> None:
    folder = directory / version
    folder.mkdir()
    for name in ("values.schema", "values", "about"):
        (folder / f"{name}.json").write_text("{}", encoding="utf-8")
    (folder / "traits.json").write_text('{"classes": {}, "authenticators": {}}', encoding="utf-8")


def test_versions_are_sorted_by_age(tmp_path: Path) -> None:
    wanted = ["4.3.3", "4.4.0-beta.2", "4.4.0-beta.10", "4.4.0", "4.10.0", "5.0.0-0.dev.git.7.h1a", "5.0.0"]
    for version in sorted(wanted):
        write_record(tmp_path, version)
    (tmp_path / "README.md").touch()
    (tmp_path / "6.0.0").mkdir()  # without a record in it
    assert versions(str(tmp_path)) == wanted
    assert versions(str(tmp_path / "nowhere")) == []


def test_unknown_version_names_the_nearest() -> None:
    with pytest.raises(LookupError, match=r"'4\.3\.4' is not recorded; did you mean '4\.3\.[35]'\?"):
        read(CHARTS, "4.3.4")


def test_read_once(tmp_path: Path) -> None:
    write_record(tmp_path, "1.0.0")
    first = read(str(tmp_path), "1.0.0")
    (tmp_path / "1.0.0" / "values.json").unlink()
    assert read(str(tmp_path), "1.0.0") is first


def test_fields_of_a_trait() -> None:
    described: dict[str, Any] = {
        "type": ["text", "dict"],
        "nullable": True,
        "choices": ["a"],
        "elements": {"type": "set", "elements": {"type": "text"}},
        "secret": True,
        "rule": True,
        "alias_of": "other",
        "removed": True,
    }
    traits = traits_of(
        {
            "classes": {
                "Parent": {"parents": [], "traits": {"one": {"type": "int"}, "two": {"type": "int"}}},
                "Child": {"parents": ["Parent"], "traits": {"one": described}, "allows_all": True},
            },
            "authenticators": {"child": "Child"},
        }
    )
    elements = Trait(("set",), elements=Trait(("text",)))
    assert traits.of("Child") == {
        "one": Trait(("text", "dict"), True, ("a",), elements, True, True, "other", True),
        "two": Trait(("int",)),
    }
    assert traits.of("Parent")["one"] == Trait(("int",))
    assert traits.sections("Child") == ("Child", "Parent")
    assert traits.subclasses("Parent") == ["Child"]
    assert traits.subclasses("Child") == []
    assert [traits.classes[name].allows_all for name in ("Parent", "Child")] == [False, True]


def test_a_record_is_whole(recorded: Recorded) -> None:
    """What the rest of the collection takes from a record is in it."""
    assert recorded.about["chart"] == recorded.version
    assert {"jupyterhub", "kubespawner", "oauthenticator", "kubeVersion", "python", "recorded"} < recorded.about.keys()
    assert recorded.defaults["hub"]["image"]["tag"] == recorded.version
    assert "set-by-chartpress" not in json.dumps(recorded.defaults)
    assert recorded.schema["properties"].keys() >= recorded.defaults.keys()
    traits = recorded.traits
    assert traits.authenticators["github"] == "GitHubOAuthenticator"
    assert traits.authenticators["oauthenticator.github.GitHubOAuthenticator"] == "GitHubOAuthenticator"
    assert traits.authenticators["ltiauthenticator.lti13.auth.LTI13Authenticator"] == "LTI13Authenticator"
    assert set(traits.authenticators.values()) <= traits.classes.keys()
    assert {parent for entry in traits.classes.values() for parent in entry.parents} <= traits.classes.keys()
    assert set(CLASSES) <= traits.classes.keys()
    assert traits.of("KubeSpawner")["start_timeout"] == Trait(("int",))
    assert traits.of("GitHubOAuthenticator")["client_secret"].secret
    # An alias leads to a trait of the same class.
    for name in traits.classes:
        every = traits.of(name)
        assert {trait.alias_of for trait in every.values() if trait.alias_of} <= every.keys()


def test_no_description_is_left(recorded: Recorded) -> None:
    """Properties may be called description; the keyword is only weight."""

    def keywords(schema: Any) -> set[str]:
        if isinstance(schema, list):
            return set().union(*map(keywords, schema))
        if not isinstance(schema, dict):
            return set()
        found = set(schema)
        for keyword, value in schema.items():
            if keyword in ("properties", "patternProperties"):
                found |= keywords(list(value.values()))
            else:
                found |= keywords(value)
        return found

    found = keywords(recorded.schema)
    assert "description" not in found
    assert {"type", "properties", "additionalProperties", "enum"} <= found


def test_defaults_satisfy_the_schema(recorded: Recorded) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed here")
    validator = jsonschema.Draft7Validator(recorded.schema)
    assert [error.message for error in validator.iter_errors(recorded.defaults)] == []
    assert list(validator.iter_errors({**recorded.defaults, "hubb": {}}))


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"{PUBLISHED.name} of the chart is not beside this checkout")
def test_what_was_recorded_is_the_chart() -> None:
    """Against the chart's own files of nearly the same version: no property was lost in recording."""

    def properties(schema: Any, path: str = "") -> set[str]:
        if not isinstance(schema, dict):
            return set()
        found = {f"{path}.{name}" for name in schema.get("properties", {})}
        for name, value in schema.get("properties", {}).items():
            found |= properties(value, f"{path}.{name}")
        return found

    published = json.loads((PUBLISHED / "values.schema.json").read_text(encoding="utf-8"))
    lost = properties(published) - properties(read(CHARTS, "4.3.3").schema)
    assert lost <= {".httpRoute.parentRefs"}  # newer than the release


@pytest.mark.parametrize("name", CLASSES)
def test_traits_are_those_of_the_class(name: str) -> None:
    """The real class has these traits, and each takes the JSON that the record says, and no other."""
    pytest.importorskip("jupyterhub", reason="JupyterHub is not installed here: records are not compared with it")
    module = pytest.importorskip(CLASSES[name], reason=f"{name} is not installed here")
    recorded = read(CHARTS, NEWEST)
    skip_other_series(name, recorded)
    real = getattr(module, name).class_traits(config=True)
    known = {trait: entry for trait, entry in recorded.traits.of(name).items() if trait in real}
    # Patch releases here and in the image differ by a trait now and then; aliases may be no traits.
    strangers = {trait for trait, entry in recorded.traits.of(name).items() if not entry.alias_of} - real.keys()
    assert len(strangers) + len(real.keys() - known.keys()) <= 3
    compared = 0
    for trait, entry in known.items():
        for sample, value in SAMPLES.items():
            if is_telling(entry, sample):
                wanted = sample in plain(entry.types)
                taken = takes(real[trait], value)
                assert taken == wanted or (wanted and is_limited(real[trait])), (trait, sample)
                compared += 1
    assert compared >= len(known)


def skip_other_series(name: str, recorded: Recorded) -> None:
    """Skip unless the package of a class is of the same minor release as in the record."""
    known = {"kubespawner": "jupyterhub-kubespawner", "oauthenticator": "oauthenticator", "jupyterhub": "jupyterhub"}
    package = CLASSES[name].partition(".")[0]
    for entry in {"jupyterhub", package} & known.keys():
        installed = metadata.version(known[entry])
        if installed.split(".")[:2] != recorded.about[entry].split(".")[:2]:
            pytest.skip(f"{entry} {installed} is installed here, and the newest record is of {recorded.about[entry]}")


def plain(types: tuple[str, ...]) -> set[str]:
    """Return the JSON types that the recorded ones stand for."""
    extra = {"set": "list", "number": "int"}
    return {*types, *(extra[name] for name in types if name in extra)}


def is_telling(entry: Trait, sample: str) -> bool:
    """Whether a sample of a type tells something about the type rather than about the value."""
    if "any" in entry.types or entry.choices:
        return False
    # Amounts of memory are text of a form of their own, and an empty command is refused as a value.
    # Python counts true as 1, which nobody means who writes it in YAML.
    amount = entry.types == ("memory",)
    command = {"list", "text"} <= set(entry.types) and sample == "list"
    return not (amount or command or (sample == "bool" and {"int", "number"} & set(entry.types)))


def is_limited(trait: Any) -> bool:
    """Whether a real trait refuses some values of its type."""
    traitlets = importlib.import_module("traitlets")
    bounds = (getattr(trait, "min", None), getattr(trait, "max", None))
    return isinstance(trait, (traitlets.Type, traitlets.Tuple)) or bounds != (None, None)


def takes(trait: Any, value: Any) -> bool:
    """Return whether a real trait takes a value."""
    traitlets = importlib.import_module("traitlets")
    try:
        trait.validate(traitlets.HasTraits(), value)
    except traitlets.TraitError:
        return False
    return True
