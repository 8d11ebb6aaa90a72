# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stock client's menus show: set when the user asks for something, put right by what the device answers.

Part of Controller, as `client.menu`. A menu that shows something else than the device does is a bug of the device.
"""

import dataclasses

# Values of BackNotification.
_BLOCK_STATES = {2: True, 3: False, 4: False}  # 5, "could not unblock", leaves what the menu shows
_PRIVACY_ON = 4
_PRIVACY_UNCHANGED = (0, 10)


@dataclasses.dataclass
class Menus:
    """The client's own state; None or False where it shows nothing."""

    input_blocked: bool = False
    privacy_mode: bool = False
    voice_call: str = "none"  # "waiting" for an answer, "talking"
    elevation: str = "none"  # "waiting", "refused: ...", "done"
    wished_size: tuple = None  # remembered for this device, and asked for again at each login
    permissions: dict = dataclasses.field(default_factory=dict)
    boxes: list = dataclasses.field(default_factory=list)  # (title, text) of message boxes that wait for the user
    chat: list = dataclasses.field(default_factory=list)  # lines heard
    _call: int = None
    _asked_size: tuple = None

    # ------------------------------------------------------------------ what the user did

    def asked_block_input(self, on):
        self.input_blocked = on  # the client shows it at once

    def asked_call(self, timestamp, connect):
        self._call = timestamp if connect else None
        self.voice_call = "waiting" if connect else "none"

    def asked_elevation(self):
        self.elevation = "waiting"

    def asked_size(self, display, width, height):
        self._asked_size = (display, width, height)

    # ------------------------------------------------------------------ what the device said

    def on_back_notification(self, msg):
        kind = msg.WhichOneof("union")
        if kind == "block_input_state":
            self.input_blocked = _BLOCK_STATES.get(msg.block_input_state, self.input_blocked)
        elif kind == "privacy_mode_state" and msg.privacy_mode_state not in _PRIVACY_UNCHANGED:
            self.privacy_mode = msg.privacy_mode_state == _PRIVACY_ON

    def on_voice_call_response(self, msg):
        call, self._call = self._call, None
        if call is not None and msg.req_timestamp == call:
            self.voice_call = "talking" if msg.accepted else "none"

    def on_elevation_response(self, text):
        self.elevation = f"refused: {text}" if text else "waiting"

    def on_switch_display(self, msg):
        size = (msg.display, msg.width, msg.height)
        original = msg.original_resolution
        if (msg.width, msg.height) == (original.width, original.height):
            self.wished_size = None
        elif self._asked_size and self._asked_size[0] == msg.display:
            self.wished_size = size[1:] if size == self._asked_size else None

    def on_message_box(self, msg):
        """False when the box would end the session, or cannot be closed."""
        self.boxes.append((msg.title, msg.text))
        closable = "hasclose" in msg.msgtype or "nook" not in msg.msgtype
        return "custom" in msg.msgtype and closable

    def on_chat(self, text):
        if text:
            self.chat.append(text)
