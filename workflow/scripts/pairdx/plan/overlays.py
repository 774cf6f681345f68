"""What is wrong with a file of the configuration as a text, with the line.

    python workflow/scripts/pairdx/plan/overlays.py FILE ...

Snakemake reads what --configfile names before it reads the workflow, and of most that it refuses it
names neither file nor line. Run on the same files, this does.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

# Snakemake's for YAML refuses tabs that the one in C takes; of JSON Snakemake takes them too.
YAML_LOADER = yaml.SafeLoader
# Where labels and display names stand in a dataset.
LABELLED = ("classes", "class_words", "class_prompts", "out_of_distribution", "source.labels")
JSON_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def problems_of_overlay(path: str | Path) -> list[str]:
    """Say what keeps a YAML or JSON file from being a configuration: nothing, mostly.

    Returns:
        Sentences that begin with the file and the line.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        return [f"{path}: this file cannot be read: {error.strerror}"]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return [
            f"{path}, line {line}: the byte 0x{content[error.start]:02x} is no UTF-8: save the "
            "file as UTF-8"
        ]
    try:
        json.loads(text)
    except ValueError:
        return [f"{path}{problem}" for problem in _of_yaml(text)]
    return [f"{path}{problem}" for problem in _of_content(yaml.compose(text, JSON_LOADER))]


def _of_yaml(text: str) -> Iterator[str]:
    try:
        node = yaml.compose(text, YAML_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        lines = text.splitlines()
        if tabs := [n for n, of in enumerate(lines, 1) if "\t" in of[: -len(of.lstrip()) or None]]:
            yield f", line {tabs[0]}: a tab: YAML is indented by spaces"
        elif "\t" in "".join(lines[line - 1 : line]):
            yield f", line {line}: a tab: write spaces in its place"
        else:
            yield f", line {line}: this is no YAML: {error.problem}"
        return
    except yaml.YAMLError as error:
        yield f": this is no YAML: {' '.join(str(error).split())}"
        return
    yield from _of_content(node)


def _of_content(node: yaml.Node | None) -> Iterator[str]:
    if node is None:
        yield ": the file is empty: write at least one key, such as `run: mine`"
    elif not isinstance(node, yaml.MappingNode):
        kind = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
        yield f", line {_line(node)}: this is {kind}: keys with values are needed: `run: mine`"
    else:
        yield from _twice(node, (), set())
        for path, label in _labels(node):
            yield from _of_number(path, label)


def _labels(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """Yield what is a label or a display name below `datasets`, after its key."""
    for dataset, entry in _items(dict(_items(node)).get("datasets")):
        of_source = [(f"source.{key}", of) for key, of in _items(dict(_items(entry)).get("source"))]
        for key, of in [*_items(entry), *of_source]:
            if key not in LABELLED:
                continue
            mapped = isinstance(of, yaml.MappingNode)
            for one in [one for pair in of.value for one in pair] if mapped else of.value:
                if isinstance(one, yaml.Node):
                    yield f"datasets.{dataset}.{key}", one


def _items(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), value


def _of_number(path: str, node: yaml.Node) -> Iterator[str]:
    """Say of a number that YAML reads as another text: of 007, of 12:30, of 1_000."""
    if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:int":
        return
    if node.style is None and not re.fullmatch(r"0|-?[1-9][0-9]*", node.value):
        yield (
            f", line {_line(node)}: {path}: YAML reads {node.value} as the number "
            f'{yaml.safe_load(node.value)}: write "{node.value}", in quotes'
        )


def _twice(node: yaml.Node, path: tuple[str, ...], seen: set[int]) -> Iterator[str]:
    """Keys that stand twice in one mapping: YAML takes the last and forgets the others."""
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item, path, seen)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name = str(key.value)
        if name in lines and name != "<<":
            yield (
                f", line {_line(key)}: the key {'.'.join((*path, name))} stands in line "
                f"{lines[name]} already, which would be forgotten: write it once"
            )
        lines.setdefault(name, _line(key))
        yield from _twice(value, (*path, name), seen)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


if __name__ == "__main__":
    found = [problem for path in sys.argv[1:] for problem in problems_of_overlay(path)]
    sys.exit("\n".join(found) or 0)
