"""What ``imle doctor`` looks at, section by section: facts, and findings with their remedies."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ._clashes import find_clashes, installed
from ._licences import COMMERCIAL, licence_of
from ._plugin_health import plugins, solvers
from ._scene import Finding, Section, causes
from ._scene import Scene as Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


CORE = ("torch", "numpy", "pluggy")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
_DRIVER = Path("/proc/driver/nvidia/version")


def versions(scene: Scene) -> Section:
    """Return the versions of the core, and of every library that a plugin's solver needs."""
    facts = [("python", f"{platform.python_version()} ({sys.executable})"), ("platform", platform.platform())]
    facts += [(name, _version(name)) for name in ("imle-core", *CORE)]
    findings = [
        Finding(
            "problem", f"imle-core needs {text}, and {_version(name)} of it is there", f"pip install '{text}'"
        )
        for text, name in _needs_of_core()
        if not installed(text)
    ]
    needed = sorted(
        {_name(text) for spec in scene.specs for text in spec.requires} - {name for name, _ in facts}
    )
    facts += [(name, _version(name)) for name in needed]
    return Section("Versions", tuple(facts), tuple(findings))


def clashes(scene: Scene) -> Section:
    """Return the installed libraries that cannot be in one process."""
    findings = tuple(
        Finding("problem", f"{' and '.join(clash.libraries)} clash: {clash.effect}", clash.remedy)
        for clash in find_clashes(scene.specs)
    )
    return Section("Clashes", () if findings else (("libraries", "none that clash"),), findings)


def environment(scene: Scene) -> Section:
    """Return processors, threads, and the switches of the plugins."""
    from imle_core.registry._switches import DISABLED, LOAD, Switches

    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    facts = [("CPUs", f"{available} for this process, {os.cpu_count()} in the machine")]
    facts += [(name, scene.env[name]) for name in THREADS if name in scene.env]
    facts += [
        (name, value or "(empty)") for name, value in sorted(scene.env.items()) if name.startswith("IMLE_")
    ]
    findings = [
        Finding("note", f"{name}={value} is more than the {available} CPUs of this process", f"unset {name}")
        for name in THREADS
        if (value := scene.env.get(name, "")).isdigit() and int(value) > available
    ]
    switches = Switches.read(scene.env)
    names = {plugin.name for plugin in scene.plugins}
    remedy = f"plugins: {', '.join(sorted(names)) or 'none'}"
    findings += [
        Finding("problem", f"{variable} names {name!r}, which is not installed", remedy)
        for variable, given in ((LOAD, switches.only or ()), (DISABLED, switches.disabled))
        for name in sorted(set(given) - names)
    ]
    return Section("Environment", tuple(facts), tuple(findings))


def licences(scene: Scene) -> Section:
    """Return the licences of the libraries behind the solvers, and the commercial solvers that are there."""
    names = dict.fromkeys(
        _name(text) for spec in scene.specs for text in spec.requires if installed(_name(text))
    )
    facts = [(name, licence_of(name)) for name in sorted(names)]
    findings = []
    for solver in COMMERCIAL:
        if version := installed(solver.distribution):
            given = [name for name in solver.variables if scene.env.get(name)]
            licence = ", ".join(f"{name}={scene.env[name]}" for name in given)
            facts.append((version, f"commercial; {licence or 'no licence variable is set'}"))
            findings += [
                Finding(
                    "problem",
                    f"{name} names {scene.env[name]!r}, which does not exist",
                    f"correct or unset {name}",
                )
                for name in given
                if "@" not in scene.env[name] and not Path(scene.env[name]).exists()
            ]
    return Section("Licences", tuple(facts), tuple(findings))


def devices(scene: Scene) -> Section:
    """Return the GPUs that torch can use; imports torch, which takes a second or more."""
    driver = _driver()
    facts = [("driver", driver)] if driver else []
    try:
        import torch
    except Exception as error:  # a broken shared library raises OSError, a broken build anything
        return Section(
            "Devices",
            tuple(facts),
            (
                Finding(
                    "problem", f"torch cannot be imported: {' <- '.join(causes(error))}", "reinstall torch"
                ),
            ),
        )
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "no CUDA"
    facts.append(("torch", f"{torch.__version__} ({build}, {torch.get_num_threads()} threads)"))
    findings = []
    if torch.cuda.is_available():
        facts += [(f"cuda:{i}", torch.cuda.get_device_name(i)) for i in range(torch.cuda.device_count())]
    elif driver and torch.version.cuda:
        findings.append(
            Finding(
                "problem",
                "there is an NVIDIA driver, and torch finds no GPU",
                "compare `nvidia-smi` with the CUDA version of torch",
            )
        )
    elif driver:
        findings.append(
            Finding(
                "note",
                "there is an NVIDIA driver, and torch is built without CUDA",
                "install a CUDA build of torch: https://pytorch.org/get-started",
            )
        )
    if torch.backends.mps.is_available():
        facts.append(("mps", "Apple's GPU"))
    if len(facts) == 1 + bool(driver):
        facts.append(("GPU", "none that torch can use"))
    return Section("Devices", tuple(facts), tuple(findings))


SECTIONS: tuple[Callable[[Scene], Section], ...] = (
    versions,
    plugins,
    clashes,
    environment,
    licences,
    devices,
    solvers,
)
"""In the order of printing: what takes long comes last."""


def examine(scene: Scene) -> Iterator[Section]:
    """Yield the sections one by one, so that each can be shown when it is there."""
    for section in SECTIONS:
        yield section(scene)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _needs_of_core() -> list[tuple[str, str]]:
    """Return the requirements of imle-core that no extra adds, each with the name of the library."""
    from packaging.requirements import Requirement

    try:
        texts = importlib.metadata.requires("imle-core") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    requirements = [Requirement(text) for text in texts]
    needed = [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    return [(f"{r.name}{r.specifier}", r.name) for r in needed]


def _name(requirement: str) -> str:
    from packaging.requirements import Requirement

    return Requirement(requirement).name


def _driver() -> str:
    """Return the name of the NVIDIA driver's version, if there is one."""
    try:
        return " ".join(_DRIVER.read_text().split("\n")[0].removeprefix("NVRM version:").split())
    except OSError:
        return ""
