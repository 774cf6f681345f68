"""How many examples hypothesis tries: few by default, many on request.

pytest -m hypothesis --hypothesis-profile=thorough
"""

from __future__ import annotations

from hypothesis import settings

# No deadlines: how long an example takes says more about the machine. The default tries the same
# examples every time, so that what fails fails for everybody; the thorough profile finds new ones.
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=2500)
settings.load_profile("default")
