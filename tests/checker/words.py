"""Reading what a site writes: JSON of a known shape, instants, lengths of time."""

import calendar
import json
import re

SHA256 = re.compile(r"[0-9a-f]{64}\Z")
NUMBER = re.compile(r"[1-9][0-9]*\Z")
INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z\Z")
UNITS = {
    "ns": 1, "us": 10**3, "\u00b5s": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
    "d": 86400 * 10**9, "w": 7 * 86400 * 10**9,
}
LONG = {
    "nano": "ns", "nanosecond": "ns", "micro": "us", "microsecond": "us", "milli": "ms", "millisecond": "ms",
    "msec": "ms", "sec": "s", "second": "s", "min": "m", "minute": "m", "hr": "h", "hour": "h", "day": "d",
    "wk": "w", "week": "w",
}


# What the steps of a procedure do to packages.
STEPS = {
    "bundle-deploy": "promote", "release-publish": "promote", "bundle-rollback": "rollback",
    "ticket-deploy": "promote", "ticket-accept": "promote", "ticket-reject": "rollback",
}
# What moves packages only where early adopters have them.
MAY_STAND = {"ticket-reject"}


class Misread(Exception):
    """Something is not of the shape it must have."""


def twice(pairs):
    found = {}
    for key, value in pairs:
        if key in found:
            raise Misread(f"the key `{key}` stands in it twice")
        found[key] = value
    return found


def of_json(text, shape):
    """Reads JSON and demands the keys of `shape`, each of its type; nothing else is looked at."""
    try:
        value = json.loads(text, object_pairs_hook=twice)
    except (ValueError, RecursionError) as error:
        raise Misread(f"it is not JSON: {error}") from error
    return demand(value, shape)


def demand(value, shape):
    """Demands that `value` is an object with the keys of `shape`; a tuple of types allows each of them."""
    if not isinstance(value, dict):
        raise Misread("it is not an object")
    for key, types in shape.items():
        if key not in value:
            raise Misread(f"it has no `{key}`")
        allowed = types if isinstance(types, tuple) else (types,)
        if type(value[key]) not in allowed:
            raise Misread(f"its `{key}` is of the wrong type")
    return value


def instant(text):
    """Nanoseconds since 1970 of an instant such as `2026-11-21T23:04:35.25Z`."""
    match = INSTANT.match(text) if isinstance(text, str) else None
    if not match:
        raise Misread(f"`{text}` is no instant")
    year, month, day, hour, minute, second = (int(word) for word in match.groups()[:6])
    nanoseconds = int((match.group(7) or "").ljust(9, "0") or 0)
    return calendar.timegm((year, month, day, hour, minute, second)) * 10**9 + nanoseconds


def length(text):
    """Nanoseconds of a length of time such as `72h` or `3 days`; None if it is written in another way."""
    total, rest = 0, text.strip().lower().replace(",", " ")
    iso = re.match(r"p(?=.)(?:(\d+)w)?(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?)?\Z", rest)
    if iso:
        return sum(int(count or 0) * UNITS[unit] for count, unit in zip(iso.groups(), "wdhms"))
    while rest:
        match = re.match(r"(\d+)\s*([a-z\u00b5]+)\s*", rest)
        if not match:
            return None
        unit = match.group(2)
        unit = unit if unit in UNITS else LONG.get(unit, LONG.get(unit.removesuffix("s"), unit.removesuffix("s")))
        if unit not in UNITS:
            return None
        total, rest = total + int(match.group(1)) * UNITS[unit], rest[match.end():]
    return total


def in_words(nanoseconds):
    """An instant as people read it."""
    seconds, rest = divmod(nanoseconds, 10**9)
    import time

    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + (f".{rest:09}" if rest else "") + "Z"


def acts(said):
    """What a request does to packages, by the name of the action that does the same without a procedure."""
    if said["action"] in MAY_STAND and not said.get("moved"):
        return said["action"]
    return STEPS.get(said["action"], said["action"])
