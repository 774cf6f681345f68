"""How far off a number may be of whose variance a part is known from a few seeds only.

The choice of cases has a variance that is known well, that between trainings is estimated from two
or three of them. One Student t for their sum, with degrees of freedom estimated as well, is wrong
more often than it says where seeds are few and differ much. Here each part has the quantile of its
own: the reach is sqrt(z^2 known + sum of t^2 estimated), which is no shorter than it has to be,
whatever the parts' true sizes (Banerjee 1960). The parts of the seeds are cut at 0, so with two
seeds it is still somewhat short.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import ndtri, stdtrit

Estimated = Sequence[tuple[float, int]]
LEAST_P = 1e-30  # what is less is not told apart


def reach_of(known: float, estimated: Estimated, level: float) -> float:
    """Return half the width of the central interval of a number.

    Args:
        known: Variance that is as good as known.
        estimated: Each other variance, with its degrees of freedom, at least 1.
        level: Coverage of the interval.
    """
    return _reach(known, estimated, 1 - level)


def p_of(difference: float, known: float, estimated: Estimated) -> float:
    """Return the p of no difference: 1 less the level of the interval that just reaches 0.

    Args:
        difference: What was found.
        known: See :func:`reach_of`.
        estimated: See :func:`reach_of`.
    """
    from scipy.optimize import brentq

    def beyond(log_p: float) -> float:
        return _reach(known, estimated, math.exp(log_p)) - abs(difference)

    least = math.log(LEAST_P)
    if difference == 0:
        return 1.0
    return math.exp(brentq(beyond, least, 0.0)) if beyond(least) > 0 else LEAST_P


def _reach(known: float, estimated: Estimated, p: float) -> float:
    parts = [known * float(ndtri(p / 2)) ** 2]
    parts += [variance * float(stdtrit(freedom, p / 2)) ** 2 for variance, freedom in estimated]
    return math.sqrt(sum(parts))
