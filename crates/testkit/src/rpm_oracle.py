"""Answers questions about rpm's own rules: one JSON object on standard input, one list on standard output."""

import json
import sys

import rpm

SENSE = {
    "": 0,
    "<": rpm.RPMSENSE_LESS,
    "<=": rpm.RPMSENSE_LESS | rpm.RPMSENSE_EQUAL,
    "=": rpm.RPMSENSE_EQUAL,
    ">=": rpm.RPMSENSE_GREATER | rpm.RPMSENSE_EQUAL,
    ">": rpm.RPMSENSE_GREATER,
}


def dependency(name, sign, evr, tag):
    return rpm.ds((name, SENSE[sign], evr), tag)


asked = json.load(sys.stdin)
answers = [rpm.labelCompare(tuple(a), tuple(b)) for a, b in asked.get("compare", [])]
answers += [
    bool(dependency(*a, "Providename").Compare(dependency(*b, "Requirename"))) for a, b in asked.get("overlap", [])
]
json.dump(answers, sys.stdout)
