#!/usr/bin/env python3
"""Checks OCSF events, one to a line, against the official schema and the rules around it.

    validate_ocsf.py --version 1.8.0 FILE...        # '-' is standard input; needs the packages of tests/requirements.txt
    validate_ocsf.py --serve                        # for programs: see `serve`

It shares nothing with the compiler and the engine, not even the facts, so that it can contradict them. An event is valid if

  schema     it satisfies the JSON Schema of its class with the profiles that it declares: required attributes, types,
             listed values, patterns, constraints, no attribute that is unknown or of a profile that is not declared;
  profiles   the profiles that it declares exist, and its class has them;
  numbers    whole numbers are written as such and fit: 32 bits for `integer_t`, 64 for `long_t`;
  siblings   beside an id, anywhere, its name is the caption of the id; beside 99 (Other) there is a name of the source's own;
  derived    `category_uid` is that of the class, `type_uid` is class_uid * 100 + activity_id, `metadata.version` is the version;
  time       `time` is in the years 2000 to 2099, in milliseconds;
  JSON       the line is JSON as the standard says, in UTF-8, also behind its escapes; no object has the same key twice,
             and no number is larger than what all readers can hold.

What is wrong is printed as `FILE:LINE: PATH: WHY`. Exit status: 0 all events valid, 1 some invalid, 2 no event to check, an
unreadable file or wrong arguments.
"""

import argparse
import dataclasses
import json
import re
import sys

import jsonschema_rs
from ocsf_json_schema.embedded import OcsfJsonSchemaEmbedded
from ocsf_json_schema.loader import get_ocsf_schema, get_packaged_versions

EPOCH_MS = range(946_684_800_000, 4_102_444_800_000)
BITS = {"integer_t": 32, "long_t": 64}
OTHER = 99
WHY_CHARS_MAX = 300


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


@dataclasses.dataclass(slots=True)
class Rule:
    """What must hold of one attribute beyond the JSON Schema."""

    integers: range | None = None
    sibling: str | None = None
    captions: dict | None = None
    nested: dict | None = None

    def check(self, owner, name, value, path, errors):
        """Appends what is wrong with `owner[name]` to `errors`; what has a wrong type is left to the JSON Schema."""
        if self.nested is not None:
            if isinstance(value, dict):
                check_object(self.nested, value, (*path, name), errors)
            elif isinstance(value, list):
                for index, element in enumerate(value):
                    if isinstance(element, dict):
                        check_object(self.nested, element, (*path, name, index), errors)
            return
        elements = value if isinstance(value, list) else [value]
        if self.integers is not None:
            for element in elements:
                if isinstance(element, float):
                    errors.append(((*path, name), f"{element} is not written as a whole number"))
                elif is_whole(element) and element not in self.integers:
                    errors.append(((*path, name), f"{element} does not fit {self.integers.stop.bit_length()} bits"))
        if self.sibling is not None:
            self.check_sibling(owner.get(self.sibling), name, elements, path, errors)

    def check_sibling(self, named, name, ids, path, errors):
        names = named if isinstance(named, list) else [named] * len(ids)
        if len(names) != len(ids):
            errors.append(((*path, self.sibling), f"has {len(names)} names for {len(ids)} of {name}"))
        for number, word in zip(ids, names):
            caption = self.captions.get(number) if is_whole(number) else None
            if number == OTHER and caption == "Other":
                if not isinstance(word, str) or not word.strip():
                    errors.append(((*path, self.sibling), f"must name what {name} {OTHER} stands for"))
            elif caption is not None and word is not None and word != caption:
                errors.append(((*path, self.sibling), f"{word!r} is not {caption!r}, the caption of {name} {number}"))


def check_object(rules, value, path, errors):
    """Checks the attributes of an object that have a rule. What most attributes are, a rightly named number that fits, is
    told first and fast; `Rule.check` looks closely at all others."""
    for name, item in value.items():
        if (rule := rules.get(name)) is None:
            continue
        if type(item) is int and rule.integers is not None and item in rule.integers:
            if rule.sibling is None or rule.captions.get(item) == value.get(rule.sibling):
                continue
        rule.check(value, name, item, path, errors)


def is_declared(attribute, profiles):
    needed = attribute.get("profiles") or ([attribute["profile"]] if attribute.get("profile") else [])
    return not needed or any(profile in profiles for profile in needed)


class Rules:
    """The rules of all objects of one version under one set of profiles. Objects refer to each other in circles, so the rules
    of an object are put in place empty and then filled."""

    def __init__(self, schema, profiles):
        self.schema = schema
        self.profiles = profiles
        self.of_objects = {}

    def of_object(self, name):
        if name not in self.of_objects:
            self.of_objects[name] = {}
            self.of_objects[name].update(self.of(self.schema["objects"][name]))
        return self.of_objects[name]

    def of(self, entity):
        attributes = {name: it for name, it in entity["attributes"].items() if is_declared(it, self.profiles)}
        rules = ((name, self.of_attribute(attribute, attributes)) for name, attribute in attributes.items())
        return {name: rule for name, rule in rules if rule is not None}

    def of_attribute(self, attribute, attributes):
        rule = Rule()
        kind = attribute["type"]
        if kind == "object_t":
            rule.nested = self.of_object(attribute["object_type"])
            return rule
        types = self.schema["types"] if "types" in self.schema else self.schema["dictionary"]["types"]["attributes"]
        if bits := BITS.get(types[kind].get("type", kind)):
            rule.integers = range(-(1 << bits - 1), 1 << bits - 1)
            sibling = attributes.get(attribute.get("sibling"), {})
            if sibling.get("type") == "string_t" and attribute.get("enum"):
                rule.sibling = attribute["sibling"]
                rule.captions = {int(key): value["caption"] for key, value in attribute["enum"].items()}
            return rule
        return None


class Checker:
    """Checks events of one version; what it needs for a class and its profiles is made when the first such event comes."""

    def __init__(self, version):
        self.schema = get_ocsf_schema(version)
        self.version = version
        self.json_schemas = OcsfJsonSchemaEmbedded(self.schema)
        self.classes = {entity["uid"]: (key, entity) for key, entity in self.schema["classes"].items() if "uid" in entity}
        entities = [*self.schema["classes"].values(), *self.schema["objects"].values()]
        self.profiles = {profile for entity in entities for profile in entity.get("profiles") or ()}
        self.made = {}

    def made_for(self, class_uid, profiles):
        """The JSON Schema, its validator, the rules, and what is wrong with the profiles themselves."""
        if (class_uid, profiles) not in self.made:
            key, entity = self.classes[class_uid]
            schema = self.json_schemas.get_class_schema(key, sorted(profiles))
            validator = jsonschema_rs.Draft202012Validator(schema)
            wrong = [f"{it!r} is not a profile of OCSF {self.version}" for it in profiles if it not in self.profiles]
            foreign = [it for it in profiles if it in self.profiles and it not in (entity.get("profiles") or ())]
            wrong += [f"the class {key} does not have the profile {it!r}" for it in foreign]
            self.made[class_uid, profiles] = schema, validator, Rules(self.schema, profiles).of(entity), wrong
        return self.made[class_uid, profiles]

    def errors(self, event):
        """What is wrong with an event, as (path, why)."""
        if not isinstance(event, dict):
            return [((), "not an object")]
        class_uid = event.get("class_uid")
        if not is_whole(class_uid) or class_uid not in self.classes:
            return [(("class_uid",), f"{class_uid!r} is not a class of OCSF {self.version}")]
        metadata = event.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        profiles = metadata.get("profiles")
        profiles = tuple(it for it in profiles if isinstance(it, str)) if isinstance(profiles, list) else ()
        schema, validator, rules, wrong = self.made_for(class_uid, profiles)
        errors = [(("metadata", "profiles"), why) for why in wrong]
        if not validator.is_valid(event):
            errors += [(tuple(error.instance_path), explain(error, schema)) for error in validator.iter_errors(event)]
        check_object(rules, event, (), errors)
        self.check_derived(event, class_uid, metadata, errors)
        return errors

    def check_derived(self, event, class_uid, metadata, errors):
        activity, time = event.get("activity_id"), event.get("time")
        if is_whole(activity) and event.get("type_uid") != class_uid * 100 + activity:
            errors.append((("type_uid",), f"{event.get('type_uid')!r} is not {class_uid * 100 + activity}"))
        category = self.classes[class_uid][1].get("category_uid", 0)
        if event.get("category_uid") != category:
            errors.append((("category_uid",), f"{event.get('category_uid')!r} is not {category}"))
        if metadata.get("version") != self.version:
            errors.append((("metadata", "version"), f"{metadata.get('version')!r} is not {self.version!r}"))
        if is_whole(time) and time not in EPOCH_MS:
            errors.append((("time",), f"{time} is not in 2000 to 2099, in milliseconds"))


def explain(error, schema):
    """The message of an error of the JSON Schema; of a constraint it would not say what is missing."""
    *_, keyword = error.schema_path
    if keyword in ("anyOf", "oneOf"):
        node = schema
        for step in error.schema_path:
            node = node[step]
        members = ", ".join(member for choice in node for member in choice["required"])
        return f"must have {'at least' if keyword == 'anyOf' else 'just'} one of {members}"
    return error.message


def unique(pairs):
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has the same key twice")
    return value


def refuse(constant):
    raise ValueError(f"{constant} is no JSON")


def finite(number):
    value = float(number)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{number} is larger than any floating-point number")
    return value


DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=refuse, parse_float=finite)
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def check_line(checker, line):
    try:
        event = DECODER.decode(line.decode("utf-8"))
        if SURROGATE.search(line):
            # A half of a pair without the other is no character, and cannot be written as UTF-8.
            json.dumps(event, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as problem:
        return [((), f"not JSON: {problem}")]
    return checker.errors(event)


def serve():
    """Answers each line `VERSION EVENT` of the standard input with a line: what is wrong with the event, nothing if it is
    valid. An empty line asks for all answers that are still owed."""
    checkers = {}
    for line in sys.stdin.buffer:
        version, _, event = line.partition(b" ")
        if not event:
            sys.stdout.flush()
            continue
        version = version.decode()
        if version not in checkers:
            checkers[version] = Checker(version)
        wrong = (f"/{'/'.join(map(str, path))}: {why[:WHY_CHARS_MAX]}" for path, why in check_line(checkers[version], event))
        answer = "; ".join(wrong).replace("\n", " ")
        sys.stdout.buffer.write(answer.encode("utf-8", "backslashreplace") + b"\n")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--version", required=True, choices=sorted(get_packaged_versions()))
    parser.add_argument("--show", type=int, default=20, help="how many invalid events to print (default 20)")
    return parser.parse_args()


def main():
    options = parse_arguments()
    checker = Checker(options.version)
    seen = invalid = 0
    for name in options.files:
        try:
            with sys.stdin.buffer if name == "-" else open(name, "rb") as lines:
                for number, line in enumerate(lines, 1):
                    seen += 1
                    errors = check_line(checker, line)
                    invalid += bool(errors)
                    for path, why in errors if invalid <= options.show else ():
                        print(f"{name}:{number}: /{'/'.join(map(str, path))}: {why[:WHY_CHARS_MAX]}")
        except OSError as problem:
            print(problem, file=sys.stderr)
            return 2
    print(f"OCSF {options.version}: {seen} events, {seen - invalid} valid, {invalid} invalid")
    return 2 if seen == 0 else 1 if invalid else 0


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1:] == ["--serve"] else main())
