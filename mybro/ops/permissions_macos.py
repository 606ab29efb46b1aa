"""macOS's answers about permissions. Thin: written to Apple's documented calls, not yet run on a Mac."""

from __future__ import annotations

import subprocess
import threading

from mybro.ops.permissions import MICROPHONE, Access, Permission

ANSWER_S = 60.0
"""How long a person may look at the system's question."""

_AUTHORIZED = 3
_UNDETERMINED = 0


class MacPermissions:
    """AVFoundation for the microphone, CoreGraphics for listening to keys."""

    def access(self, permission: Permission) -> Access:
        if permission is MICROPHONE:
            return _microphone()
        import Quartz

        # CoreGraphics tells granted from not granted, and no more.
        return "granted" if Quartz.CGPreflightListenEventAccess() else "undetermined"

    def request(self, permission: Permission) -> Access:
        if permission is MICROPHONE:
            return _request_microphone()
        import Quartz

        # Returns at once, with the system's question still on the screen.
        return "granted" if Quartz.CGRequestListenEventAccess() else "denied"

    def open_pane(self, permission: Permission) -> None:
        subprocess.run(["open", permission.pane], check=False, capture_output=True, timeout=10)


def _microphone() -> Access:
    from AVFoundation import AVCaptureDevice, AVMediaTypeAudio

    status = AVCaptureDevice.authorizationStatusForMediaType_(AVMediaTypeAudio)
    if status == _AUTHORIZED:
        return "granted"
    return "undetermined" if status == _UNDETERMINED else "denied"


def _request_microphone() -> Access:
    from AVFoundation import AVCaptureDevice, AVMediaTypeAudio

    answered = threading.Event()
    AVCaptureDevice.requestAccessForMediaType_completionHandler_(
        AVMediaTypeAudio, lambda _granted: answered.set()
    )
    answered.wait(ANSWER_S)
    return _microphone()
