"""Property lists: of apps, their entitlements, and launchd's jobs."""

from __future__ import annotations

import plistlib
import re
from collections.abc import Iterator
from typing import Any
from xml.parsers.expat import ExpatError

from mybro.doctor.facts import Repository
from mybro.doctor.own.place import Content, Hit, first_line

_OPEN = {
    "com.apple.security.get-task-allow": "lets debuggers attach",
    "com.apple.security.cs.disable-library-validation": "loads anybody's libraries",
    "com.apple.security.cs.allow-dyld-environment-variables": "lets the environment inject libraries",
    "com.apple.security.cs.disable-executable-page-protection": "lets memory be written and run",
    "com.apple.security.cs.allow-unsigned-executable-memory": "lets memory be written and run",
}
_DEVICES = (
    (
        r"\bAVAudioEngine\b.*\binputNode\b|AVCaptureDevice[\s\S]{0,80}\.audio\b|requestRecordPermission",
        "NSMicrophoneUsageDescription",
    ),
    (
        r"AVCaptureDevice[\s\S]{0,80}\.video\b|UIImagePickerController[\s\S]{0,200}\.camera\b",
        "NSCameraUsageDescription",
    ),
    (r"\bSFSpeechRecognizer\b", "NSSpeechRecognitionUsageDescription"),
    (r"\brequest(?:WhenInUse|Always)Authorization\(", "NSLocationWhenInUseUsageDescription"),
    (r"\bCNContactStore\b", "NSContactsUsageDescription"),
    (r"\bPHPhotoLibrary\b", "NSPhotoLibraryUsageDescription"),
)


def _parse(data: bytes) -> dict[str, Any] | None:
    """The dictionary in a property list; None where it is something else. Raises `ValueError`."""
    try:
        found = plistlib.loads(data)
    except (
        plistlib.InvalidFileException,
        ExpatError,
        KeyError,
        TypeError,
        OverflowError,
        AttributeError,
    ) as error:
        raise ValueError(str(error) or "is no property list") from error
    return found if isinstance(found, dict) else None


def _quietly(content: Content) -> dict[str, Any]:
    try:
        return _parse(content.data) or {}
    except (ValueError, RecursionError):
        return {}


def _at(content: Content, key: str) -> int:
    return first_line(content.text, re.escape(key))


def plist_syntax(content: Content) -> Iterator[Hit]:
    """Whether it can be read at all; templates with variables are left alone."""
    if b"{{" in content.data or b"<%" in content.data or content.file.is_test:
        return
    text = content.text.lstrip("\ufeff \r\n\t")
    if text.startswith(("{", "//", "(")):
        return
    try:
        _parse(content.data)
    except (ValueError, RecursionError) as error:
        found = re.search(r"line (\d+)", str(error))
        yield Hit(content.file.path, int(found[1]) if found else 0, "does not parse")


def arbitrary_loads(content: Content) -> Iterator[Hit]:
    """For the whole app; exceptions by domain are judged by nobody here."""
    transport = _quietly(content).get("NSAppTransportSecurity")
    if isinstance(transport, dict) and transport.get("NSAllowsArbitraryLoads") is True:
        yield Hit(content.file.path, _at(content, "NSAllowsArbitraryLoads"), "NSAllowsArbitraryLoads is on")


def entitlements(content: Content) -> Iterator[Hit]:
    """Entitlements that weaken the hardened runtime."""
    data = _quietly(content)
    for key, what in _OPEN.items():
        debug = "debug" in content.file.name.casefold()
        if data.get(key) is True and not (debug and key.endswith("get-task-allow")):
            yield Hit(content.file.path, _at(content, key), f"{key} {what}", anchor=key)


def launchd(content: Content) -> Iterator[Hit]:
    """A job is what has a Label and something to run."""
    data = _quietly(content)
    arguments, program = data.get("ProgramArguments"), data.get("Program")
    if "Label" not in data or not (arguments or program):
        return
    first = program or (arguments[0] if isinstance(arguments, list) and arguments else "")
    if isinstance(first, str) and first and not first.startswith("/") and "/" in first:
        yield Hit(content.file.path, _at(content, first), f"{first} is no absolute path", anchor="program")
    for key in ("WorkingDirectory", "StandardOutPath", "StandardErrorPath", "RootDirectory"):
        value = data.get(key)
        if isinstance(value, str) and not value.startswith("/"):
            yield Hit(content.file.path, _at(content, key), f"{key} is no absolute path", anchor=key)
    if any(isinstance(a, str) and a.startswith("~") for a in arguments or () if isinstance(arguments, list)):
        yield Hit(content.file.path, _at(content, "~"), "launchd does not know ~", anchor="~")


def usage(repo: Repository) -> Iterator[Hit]:
    """Devices in Swift code of a project that has an Info.plist without the reason."""
    lists = [file for file in repo.named("Info.plist") if not file.is_test]
    if not lists:
        return
    known = " ".join(repo.text(file) or "" for file in lists)
    settings = [repo.text(path) or "" for path in repo.files if path.endswith("project.pbxproj")]
    for file in repo.sources("swift"):
        text = "" if file.is_test else repo.text(file) or ""
        for pattern, key in _DEVICES:
            found = re.search(pattern, text)
            if found and key not in known and not any(key in one for one in settings):
                line = text.count("\n", 0, found.start()) + 1
                yield Hit(file.path, line, f"needs {key} in Info.plist", anchor=key)


def package_resolved(repo: Repository) -> Iterator[Hit]:
    """Apps and programs; libraries are resolved by who uses them."""
    manifest = repo.top("Package.swift")
    text = (repo.text(manifest) or "") if manifest else ""
    if ".executableTarget" in text and ".package(url" in text and "Package.resolved" not in repo.files:
        yield Hit("Package.swift", 0, "there is no Package.resolved", anchor="lock")
