"""A small encoder in ONNX, written byte by byte: no library that makes such files is needed."""

from __future__ import annotations


def field(number: int, value: bytes | int) -> bytes:
    """A field of a protocol buffer: bytes with their length, or a small number."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    assert len(value) < 1 << 14
    size = [len(value)] if len(value) < 128 else [len(value) & 127 | 128, len(value) >> 7]
    return bytes([number << 3 | 2, *size]) + value


def tensor(name: str, *sides: int | str) -> bytes:
    """An input or output of a model in ONNX, float32, with sides that are fixed or named."""
    dims = b"".join(field(1, field(1, side) if isinstance(side, int) else field(2, side.encode())) for side in sides)
    return field(1, name.encode()) + field(2, field(1, field(1, 1) + field(2, dims)))


def averaging(channels: int = 3, side: int | str = "side") -> bytes:
    """An ONNX model whose output is the mean of each channel, (n, channels, 1, 1)."""
    node = field(1, b"x") + field(2, b"y") + field(4, b"GlobalAveragePool")
    ends = field(11, tensor("x", "n", channels, side, side)) + field(12, tensor("y", "n", channels, 1, 1))
    return field(1, 8) + field(7, field(1, node) + field(2, b"mean") + ends) + field(8, field(2, 13))
