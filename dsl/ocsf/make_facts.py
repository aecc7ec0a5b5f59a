#!/usr/bin/env python3
"""Makes the OCSF facts that the compiler reads: one text file per version, and the NOTICE.

    make_facts.py [FOLDER]          # writes into FOLDER, by default the folder of this script

Source: the compiled OCSF schemas in the PyPI package `ocsf-json-schema` (see tests/requirements.txt). Facts are names,
numbers, captions of values, types, requirements, profiles and constraints; the prose of the schema stays behind. The same
package always gives the same bytes, and a test compares them with the committed files; to rewrite those:

    WEIR_UPDATE=1 cargo test -p weir-tests --test facts

The format, line by line. Words are separated by one space; `#` starts a comment line; `[x]` may be absent. A line that
starts with a space belongs to the last `enum`, `object` or `class` line. Things are defined before they are used (except
objects, which refer to each other), and every list is sorted by name or number, so that a change is a small diff.

    ocsf VERSION
    category UID CAPTION
    profile NAME
    type NAME BASE [max_len=N] [range=FROM..TO] [values=A,B] [regex=REST OF THE LINE]
    enum ID                          ID is the name of an attribute, or NAME.2, NAME.3 where uses of the name differ
     KEY[!VERSION]<TAB>CAPTION       !VERSION: deprecated since
    attribute ID TYPE[[]] REQUIREMENT [@PROFILE,PROFILE] [enum=ID] [sibling=NAME] [!VERSION]
                                     TYPE is a data type or {OBJECT}; [] an array; @: only with one of these profiles
    object NAME CAPTION              followed by its properties:
    class UID NAME CATEGORY_UID CAPTION
    profiles NAME ...                supported by the object or class
    deprecated VERSION
    at_least_one MEMBER ...          a constraint; a member may be a path
    just_one MEMBER ...
     ID                              an attribute, by the id of its definition
"""

import collections
import importlib.metadata
import pathlib
import sys

from ocsf_json_schema.loader import get_ocsf_schema

PACKAGE = "ocsf-json-schema"
PACKAGE_VERSION = "1.2.0"
VERSIONS = ["1.1.0", "1.5.0", "1.8.0"]
CONSTRAINTS = ["at_least_one", "just_one"]

HEADER = f"""\
# Facts of the Open Cybersecurity Schema Framework {{version}}, taken from its compiled schema and rewritten in the compact
# form that make_facts.py describes; made by make_facts.py from {PACKAGE} {PACKAGE_VERSION}, do not edit. See NOTICE.
"""

NOTICE = """\
The files *.facts in this folder state facts of the Open Cybersecurity Schema Framework (OCSF), https://schema.ocsf.io,
versions {versions}. They were made by make_facts.py from the compiled schemas that the PyPI package
{package} {package_version} ships, and differ from them: descriptions and references are left out, and the rest is
written in another format.

The OCSF schema is licensed under the Apache License, Version 2.0 (https://www.apache.org/licenses/LICENSE-2.0). Its notice:

    Open Cybersecurity Schema Framework

    Copyright © OCSF a Series of LF Projects, LLC
    For web site terms of use, trademark policy and other project policies please see https://lfprojects.org.

    This project includes the ICD Schema developed by Symantec, a division of Broadcom.

    Licensed under the Apache 2 license.
    Refer to the Apache 2 license in the file LICENSE.
"""


class Interner:
    """Gives equal definitions of one name one id: NAME for the definition used most, NAME.2 and so on for the others."""

    def __init__(self, named_definitions):
        uses = collections.defaultdict(collections.Counter)
        for name, definition in named_definitions:
            uses[name][definition] += 1
        self.ids = {}
        for name in sorted(uses):
            ranked = sorted(uses[name].items(), key=lambda item: (-item[1], item[0]))
            for rank, (definition, _) in enumerate(ranked, 1):
                self.ids[name, definition] = name if rank == 1 else f"{name}.{rank}"

    def id(self, name, definition):
        return self.ids[name, definition]

    def definitions(self):
        return [(id, definition) for (_, definition), id in self.ids.items()]


def bare(name):
    """`win/reg_key`, from an extension, is `reg_key` in facts; `entities` sees to it that this names one thing only."""
    return name.rpartition("/")[2]


def entities(schema, section):
    """The classes that have a uid, or the objects, sorted by bare name."""
    found = sorted((bare(key), value) for key, value in schema[section].items() if section == "objects" or "uid" in value)
    names = [name for name, _ in found]
    if len(set(names)) != len(names):
        raise SystemExit(f"OCSF {schema['version']}: two of the {section} have the same name")
    return found


def since(thing):
    """The version that deprecated a thing, as `!VERSION`, or nothing."""
    return f"!{thing['@deprecated']['since']}" if "@deprecated" in thing else ""


def one_line(text):
    if text != text.strip() or not text.isprintable() or not text:
        raise SystemExit(f"not the text of one line: {text!r}")
    return text


def enum_definition(attribute):
    """The values as (KEY[!VERSION], CAPTION): numbers in their order, then words in theirs."""

    def order(key):
        return (0, int(key), "") if key.lstrip("-").isdigit() else (1, 0, key)

    values = attribute.get("enum") or {}
    return tuple((key + since(values[key]), one_line(values[key]["caption"])) for key in sorted(values, key=order))


def profiles_of(attribute):
    """The profiles of which one must be declared; up to 1.7 the compiled schema names one at most, then it has a list."""
    if profile := attribute.get("profile"):
        return [profile]
    return sorted(attribute.get("profiles") or [])


def attribute_definition(name, attribute, siblings, enums):
    """Everything behind `attribute ID`. A sibling that the class or object does not have is no fact about it."""
    type_name = attribute["type"]
    words = ["{%s}" % bare(attribute["object_type"]) if type_name == "object_t" else type_name]
    words[0] += "[]" if attribute.get("is_array") else ""
    words.append(attribute["requirement"])
    if profiles := profiles_of(attribute):
        words.append("@" + ",".join(profiles))
    if definition := enum_definition(attribute):
        words.append(f"enum={enums.id(name, definition)}")
    if attribute.get("sibling") in siblings:
        words.append(f"sibling={attribute['sibling']}")
    words.append(since(attribute))
    return " ".join(word for word in words if word)


def type_lines(schema):
    types = schema["types"] if "types" in schema else schema["dictionary"]["types"]["attributes"]
    for name, facts in sorted(types.items()):
        words = ["type", name, facts.get("type", name).removesuffix("_t")]
        if "max_len" in facts:
            words.append(f"max_len={facts['max_len']}")
        if "range" in facts:
            words.append("range={}..{}".format(*facts["range"]))
        if "values" in facts:
            words.append("values=" + ",".join(str(value).lower() for value in facts["values"]))
        if "regex" in facts:
            words.append("regex=" + one_line(facts["regex"]))
        yield " ".join(words)


def entity_lines(entity, attributes, enums):
    if profiles := entity.get("profiles"):
        yield "profiles " + " ".join(sorted(profiles))
    if deprecated := since(entity):
        yield "deprecated " + deprecated[1:]
    constraints = entity.get("constraints") or {}
    if unknown := set(constraints) - set(CONSTRAINTS):
        raise SystemExit(f"unknown constraints: {unknown}")
    for kind in CONSTRAINTS:
        if kind in constraints:
            yield " ".join([kind, *sorted(constraints[kind])])
    own = entity["attributes"]
    for name in sorted(own):
        yield " " + attributes.id(name, attribute_definition(name, own[name], own, enums))


def category_of(entity):
    """The category of a class: number and caption. The base event has it only as the one value of its `category_uid`."""
    values = entity["attributes"]["category_uid"]["enum"]
    if len(values) != 1:
        raise SystemExit(f"{entity['name']}: in several categories")
    [(uid, value)] = values.items()
    return int(uid), one_line(value["caption"])


def profile_names(schema):
    everything = [entity for section in ("classes", "objects") for entity in schema[section].values()]
    named = {name for entity in everything for name in entity.get("profiles") or ()}
    named |= {name for entity in everything for attribute in entity["attributes"].values() for name in profiles_of(attribute)}
    return sorted(named | set(schema.get("profiles") or ()))


def facts(schema):
    """All lines of one version."""
    classes, objects = entities(schema, "classes"), entities(schema, "objects")
    owners = [entity["attributes"] for _, entity in classes + objects]
    uses = [(name, attribute, owner) for owner in owners for name, attribute in owner.items()]
    enums = Interner((name, enum_definition(attribute)) for name, attribute, _ in uses if attribute.get("enum"))
    attributes = Interner((name, attribute_definition(name, attribute, owner, enums)) for name, attribute, owner in uses)

    yield f"ocsf {schema['version']}"
    yield from (f"category {uid} {caption}" for uid, caption in sorted({category_of(entity) for _, entity in classes}))
    yield from (f"profile {name}" for name in profile_names(schema))
    yield from type_lines(schema)
    for id, values in enums.definitions():
        yield f"enum {id}"
        yield from (f" {key}\t{caption}" for key, caption in values)
    yield from (f"attribute {id} {definition}" for id, definition in attributes.definitions())
    for name, entity in objects:
        yield f"object {name} {one_line(entity['caption'])}"
        yield from entity_lines(entity, attributes, enums)
    for name, entity in classes:
        yield f"class {entity['uid']} {name} {category_of(entity)[0]} {one_line(entity['caption'])}"
        yield from entity_lines(entity, attributes, enums)


def main():
    if len(sys.argv) > 2:
        raise SystemExit(__doc__)
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) == 2 else pathlib.Path(__file__).parent
    if (installed := importlib.metadata.version(PACKAGE)) != PACKAGE_VERSION:
        raise SystemExit(f"needs {PACKAGE}=={PACKAGE_VERSION}, {installed} is installed")
    for version in VERSIONS:
        text = HEADER.format(version=version) + "".join(line + "\n" for line in facts(get_ocsf_schema(version)))
        (folder / f"{version}.facts").write_text(text, encoding="utf-8", newline="\n")
    versions = ", ".join(VERSIONS[:-1]) + " and " + VERSIONS[-1]
    notice = NOTICE.format(versions=versions, package=PACKAGE, package_version=PACKAGE_VERSION)
    (folder / "NOTICE").write_text(notice, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
