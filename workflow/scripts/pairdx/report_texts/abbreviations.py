"""Words that reports write with a period that ends no sentence, in small letters without it."""

from __future__ import annotations

import re

_MONTHS = "jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec"

# Something always follows: a name, a number, a word.
NEVER_END = re.compile(r"dr|drs|mr|mrs|ms|prof|st|e\.g|i\.e|eg|ie|vs|cf|ca|viz|figs?|approx|incl")
# Words cut short: they end a sentence before a capital only, and never where all are capitals.
CUT_SHORT = re.compile(
    r"resp|pts?|abd|lat|bilat|prev|inf|sup|ant|postop|preop|op|hosp|pat|dx|hx|rx|tx|temp|wt|ht|diam"
)
# Where a number follows; else they are words like others ("Pneumothorax: no.").
BEFORE_NUMBERS = re.compile(rf"nos?|pp?|vol|ref|tab|table|{_MONTHS}")
# They can also be the last of a sentence: what follows tells.
MAY_END = re.compile(
    r"a\.m|p\.m|am|pm|etc|al|cm|mm|ml|cc|kg|mg|in|hrs?|min|max|sec|yrs?|mos?|wks?|dept|md|rn|np|pa|jr|sr|inc"
    rf"|{_MONTHS}"
)
# After what may end a sentence, where capitals tell nothing, one of these goes on.
GOES_ON = re.compile(
    "and|as|at|by|for|from|in|of|on|or|the|to|today|via|was|were|which|with|yesterday"
)
# Before a letter with a period, which then is the first of a name.
BEFORE_NAMES = re.compile("and|by|drs?|from|mr|mrs|ms|prof|to")
# A line that ends with one of these goes on.
UNFINISHED = re.compile(
    "a|an|and|are|as|at|be|been|by|dr|for|from|has|have|in|into|is|its|left|mr|mrs|ms|near|no|of|on|or"
    "|prof|right|st|than|that|the|their|this|to|via|vs|was|were|which|with"
)
