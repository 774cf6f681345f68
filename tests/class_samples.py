"""Names of classes that would break a writer which takes them for anything but text."""

from __future__ import annotations

import json

HOSTILE = (
    "a|b",
    "{x}",
    "a/b",
    '"quoted"',
    "100 %",
    "$5_a$",
    "\U0001f600 smile",
    "\u05e9\u05dc\u05d5\u05dd",
    "\u0645\u0631\u062d\u0628\u0627",
    "\u80f8\u90e8X\u7dda",
    "<b>bold</b>",
    "=1+1",
    "total",
    "accuracy",
    "stage",
    "a_share",
)
# What each is called where it is read; the last ones go without a name of their own.
NAMES = {label: f"the {label}" for label in HOSTILE[:3]} | {label: label for label in HOSTILE[3:]}
# As an overlay: JSON is YAML.
OVERLAY = json.dumps(
    {
        "datasets": {
            "mine": {
                "enabled": True,
                "like": "drawn",
                "classes": list(HOSTILE[:-1]),
                "out_of_distribution": [HOSTILE[-1]],
                "class_words": {},
                "curation": {"modalities": None},
            },
            "drawn": {"enabled": False},
        }
    },
    ensure_ascii=False,
)
