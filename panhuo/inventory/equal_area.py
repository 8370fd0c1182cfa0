"""The cylindrical equal-area plane of the CGCS2000 ellipsoid: areas in it are those of the ground.

x = a k λ and y = a q(φ) / 2k with k the scale at the standard parallel (Snyder 1987, Map Projections: A Working Manual,
equations 10-13 to 10-15 and 3-12). Plain NumPy, so that any number of threads may call it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SEMI_MAJOR_M: Final = 6_378_137.0
FLATTENING: Final = 1 / 298.257222101
"""CGCS2000 (GB 22021-2008); GRS80 has the same axis and flattening."""
STANDARD_PARALLEL: Final = 30.0
PROJ_TEXT: Final = f"+proj=cea +lat_ts={STANDARD_PARALLEL:.0f} +ellps=GRS80 +units=m"
"""The same plane for PROJ."""

_E2 = FLATTENING * (2 - FLATTENING)
_SIN_S = np.sin(np.radians(STANDARD_PARALLEL))
_K = np.cos(np.radians(STANDARD_PARALLEL)) / np.sqrt(1 - _E2 * _SIN_S**2)
_SERIES = [(1 - _E2) * (1 + 1 / (2 * k + 1)) for k in range(9)]


def to_equal_area(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """(x, y) [m] of longitudes and latitudes [degrees, EPSG:4490]."""
    s = np.sin(np.radians(lat))
    # q = (1 − e²) (s / (1 − e² s²) + artanh(e s) / e) as a series in e² s², which no double tells from it.
    t = _E2 * s * s
    q = np.full_like(t, _SERIES[-1])
    for factor in _SERIES[-2::-1]:
        q *= t
        q += factor
    q *= s
    return SEMI_MAJOR_M * _K * np.radians(lon), SEMI_MAJOR_M / (2 * _K) * q
