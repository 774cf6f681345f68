"""A small web page of a deployed system, for this machine: drop images, read what it says of them.

Flask answers and waitress serves. Nothing is sent anywhere, nothing uploaded is written to disk,
and no page names an address outside (:mod:`.guard` says what keeps other pages and machines out).
"""
