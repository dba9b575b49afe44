"""Short names for the array types that pass between the modules of the feature store."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]
