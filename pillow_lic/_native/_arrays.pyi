"""Arrays by the type of their numbers."""

from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

_Number = TypeVar("_Number", bound=np.generic)
Row: TypeAlias = np.ndarray[tuple[int], np.dtype[_Number]]
Int8s: TypeAlias = NDArray[np.int8]
Uint8s: TypeAlias = NDArray[np.uint8]
Int16s: TypeAlias = NDArray[np.int16]
Uint16s: TypeAlias = NDArray[np.uint16]
Int32s: TypeAlias = NDArray[np.int32]
Uint32s: TypeAlias = NDArray[np.uint32]
Int64s: TypeAlias = NDArray[np.int64]
Float32s: TypeAlias = NDArray[np.float32]
Float64s: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Box: TypeAlias = tuple[int, int, int, int]
"""Top, left, rows and columns."""
