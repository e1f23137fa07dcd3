"""The device of a run, and what it can do."""

from __future__ import annotations

from typing import Any

import torch

from imle_core.demos.warcraft.settings import SettingsError

__all__ = ["find_device", "has_bfloat16"]


def find_device(name: str) -> torch.device:
    """Return the device of that name; for ``auto`` CUDA if there is any.

    Raises:
        SettingsError: torch does not know it, or cannot use it here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(
            1, device=name
        ).item()  # some devices can be named, and even hold tensors, but not be read
    except Exception as error:  # of many types: torch says for each device in its own way that it is missing
        reason = str(error).partition("\n")[0].rstrip(".")
        raise SettingsError(f"--device {name!r} cannot be used ({reason}); take auto or cpu.") from error
    return torch.device(name)


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16; to emulate it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities: dict[str, Any] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # of recent versions of torch
    return device.type == "cpu" and bool(capabilities.get("avx512_bf16"))
