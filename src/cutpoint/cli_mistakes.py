"""What is wrong with a command line, in sentences of our own: what is, what must be, what to do.

The parser's errors are known by name and by attribute, since its classes are elsewhere in other versions; what is not
known among them keeps the parser's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

NEAR = 0.65  # how like another name one must be to be taken for it


def sentence(error: Any, arguments: Sequence[str]) -> str:
    """One sentence on an error of the parser, raised by these words; where to read more is its end."""
    context = getattr(error, "ctx", None)
    said = _said(error, context, arguments)
    if context is None:  # the parser does not say of which command
        return f"{said}."
    see = " See" if said.endswith("?") else "; see"
    return f"{said}{see} `{context.command_path} --help`."


def without_passwords(text: str, arguments: Sequence[str]) -> str:
    """The text without the passwords of addresses among the arguments, wherever in the command line they were put."""
    for word in arguments:
        address = word.partition("://")[2]
        secrets = [pair for pair in re.split("[?&]", address) if re.match(r"\w*pass\w*=.", pair)]
        login = address.rpartition("@")[0]
        if login.partition(":")[2]:
            secrets.append(login)
        for secret in secrets:
            for form in (secret, repr(secret)[1:-1], str(Path(secret))):  # as it is, quoted, in the path of a file
                text = text.replace(form, "***")
    return text


def _said(error: Any, context: Any, arguments: Sequence[str]) -> str:
    kind, words = type(error).__name__, error.format_message().rstrip(".")
    quoted = next(iter(re.findall(r"'([^']+)'", words)), "")
    if kind == "NoSuchOption":
        known = [name for param in context.command.params for name in (*param.opts, *param.secondary_opts)]
        return f"there is no option {error.option_name}{_nearest(error.option_name, known)}"
    if missing := re.search(r"No such command (['\"])((?:\\.|(?!\1).)*)\1", words):
        return f"there is no command {missing[2]}{_nearest(missing[2], context.command.commands)}"
    if kind == "MissingParameter" and quoted:
        return f"{quoted} is missing"
    if kind == "BadParameter" and getattr(error, "param", None) is not None:
        return _bad_value(error.param, words, arguments)
    if kind == "BadOptionUsage":
        none = "not take" in words
        return f"{error.option_name} {'takes no value; leave it out' if none else 'has no value; write one after it'}"
    extra = re.search(r"unexpected extra argument.* \((.*)\)", words)
    return f"{extra[1]!r} is too much; leave it out" if extra else words


def _bad_value(param: Any, words: str, arguments: Sequence[str]) -> str:
    """What was given for a parameter, and what must be."""
    name = max(param.opts, key=len)
    given = [
        following if word == option else word.removeprefix(f"{option}=")
        for word, following in zip(arguments, [*arguments[1:], ""], strict=True)
        for option in param.opts
        if option.startswith("-") and (word == option or word.startswith(f"{option}="))
    ]
    choices = words.partition("is not one of ")[2].replace("'", "")
    if choices:
        must = f"one of {choices}"
    elif "integer" in words:
        must = "a whole number"
    elif "number" in words or "float" in words:
        must = "a number"
    else:
        return f"{name}: {words}"
    return f"{name} is {given[-1]!r}; it must be {must}" if given else f"{name} must be {must}"


def _nearest(name: str, known: Iterable[str]) -> str:
    """A question for the nearest of the known names, if one is near: dashes make none alike."""
    names = {other.lstrip("-"): other for other in known}
    near = get_close_matches(name.lstrip("-"), names, n=1, cutoff=NEAR)
    return f"; did you mean {names[near[0]]}?" if near else ""
