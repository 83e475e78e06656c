"""Reads pickles without running anything in them: bytes, text, numbers, lists, dicts and plain arrays, no more.

CIFAR is published as pickles of Python 2 with numpy arrays. A pickle is a program, and what it may call is what it
names; here every name stands for an object of this file that checks what it is handed and builds an array by itself.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def read_plain_pickle(data: bytes) -> dict[str, Any]:
    """The dict of a pickle, its arrays as arrays and its keys as text.

    pickle.UnpicklingError if it names anything that plain data does not need, or is no dict; whatever the unpickler
    raises if it is damaged.
    """
    found = _Plain(io.BytesIO(data), encoding="latin1").load()
    if not isinstance(found, dict):
        raise pickle.UnpicklingError(f"it holds a {type(found).__name__} and not a dict")
    plain = {}
    for key, value in found.items():
        if isinstance(value, _Array):
            value = value.finished()
        plain[key.decode("latin1") if isinstance(key, bytes) else str(key)] = value
    return plain


class _Plain(pickle.Unpickler):
    """Finds nothing but the stand-ins below."""

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in of a name that arrays need."""
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which plain data never needs")
        return _STAND_INS[module, name]


class _Call:
    """Something a pickle may call and cannot change: setting its attributes is refused."""

    __slots__ = ("_made",)
    _made: Callable[..., Any]

    def __init__(self, made: Callable[..., Any]) -> None:
        object.__setattr__(self, "_made", made)

    def __setattr__(self, name: str, value: object) -> None:
        raise pickle.UnpicklingError(f"it sets the attribute {name} of a name it was given")

    def __call__(self, *given: Any) -> Any:
        """What the stand-in makes of the arguments."""
        return self._made(*given)


class _Type:
    """Stands for numpy.dtype: numbers alone, no objects, no records."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any, *_flags: Any) -> None:
        if not re.fullmatch(r"[biuf][1248]", str(code)):
            raise pickle.UnpicklingError(f"it has an array of type {code!r}, which is not a plain number")
        self.dtype = np.dtype(str(code))

    def __setstate__(self, state: Any) -> None:
        """Take the byte order: numpy's state is (version, order, subtype, names, fields, ...)."""
        order, *parts = state[1:5]
        if order not in ("<", ">", "|", "=") or any(part is not None for part in parts):
            raise pickle.UnpicklingError("it has an array whose type is not a plain number")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stands for an array until it is finished."""

    __slots__ = ("_array",)

    def __init__(self, array: Array | None = None) -> None:
        self._array = array

    def __setstate__(self, state: Any) -> None:
        """Build the array: numpy's state is (version, shape, type, is in Fortran's order, bytes)."""
        _, shape, kind, fortran, raw = state
        self._array = _built(raw, kind, shape, "F" if fortran else "C")

    def finished(self) -> Array:
        """The array; pickle.UnpicklingError if its bytes never came."""
        if self._array is None:
            raise pickle.UnpicklingError("it has an array without its bytes")
        return self._array


def _built(raw: Any, kind: Any, shape: Any, order: Any) -> Array:
    """An array (shape) of bytes, or of text that stands for bytes in a pickle of Python 2."""
    raw = raw.encode("latin1") if isinstance(raw, str) else raw
    if not isinstance(raw, bytes | bytearray) or not isinstance(kind, _Type):
        raise pickle.UnpicklingError("it has an array that is not made of bytes")
    array: Array = np.frombuffer(raw, kind.dtype).reshape(shape, order="F" if order == "F" else "C")
    return array


def _latin1(text: Any, encoding: Any) -> bytes:
    """How Python 3 writes bytes for Python 2 to read: text and the name of an encoding."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError(f"it asks for the encoding {encoding!r}; bytes need latin1 alone")
    return text.encode("latin1")


def _never() -> None:
    """Stand for numpy.ndarray, which is named in a pickle and called by numpy alone."""
    raise pickle.UnpicklingError("it calls numpy.ndarray, which plain data never does")


_RECONSTRUCT = _Call(lambda *_given: _Array())
_FROM_BUFFER = _Call(lambda raw, kind, shape, order: _Array(_built(raw, kind, shape, order)))
_STAND_INS = {
    ("numpy", "dtype"): _Call(_Type),
    ("numpy", "ndarray"): _Call(_never),
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy.core.numeric", "_frombuffer"): _FROM_BUFFER,
    ("numpy._core.numeric", "_frombuffer"): _FROM_BUFFER,
    ("_codecs", "encode"): _Call(_latin1),
}
