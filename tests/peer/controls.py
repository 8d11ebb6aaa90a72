# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user of a stock client does: keys, mouse, menus (wire.md §10.5, §10.7, §11, §12.4). Part of Controller."""

import time

from . import keys, pb
from .video import ABILITIES

LEFT, RIGHT, MIDDLE, BACK, FORWARD = 1, 2, 4, 8, 16
_MOVE, _DOWN, _UP, _WHEEL, _TRACKPAD, _RELATIVE = range(6)


def supported_decoding(codecs=("vp9s", "h264s", "h265s", "vp8s", "av1s"), prefer=pb.PREFER_AUTO, i444=False):
    """A SupportedDecoding message for a set of VideoFrame members."""
    msg = pb.SupportedDecoding(prefer=prefer, **{ABILITIES[c]: 1 for c in codecs})
    if i444:
        msg.i444.CopyFrom(pb.CodecAbility(vp9=True, av1=True))
        msg.prefer_chroma = pb.CHROMA_I444
    return msg


def control_key(name):
    """ControlKey number of a name of wire.md §11.9, or the number itself."""
    return pb.ControlKey.Value(f"CK_{name}") if isinstance(name, str) else name


def _bool_option(value):
    return (pb.BO_YES if value else pb.BO_NO) if isinstance(value, bool) else value


class Controls:
    """Methods that only send. Needs of the whole: send, send_misc, screen, menu, peer_info, _note_decoding."""

    # ------------------------------------------------------------------ keyboard (wire.md §11.3-§11.8)

    def key_event(self, **fields):
        """A raw KeyEvent; modifiers may be names."""
        fields["modifiers"] = [control_key(m) for m in fields.get("modifiers", ())]
        self.send(key_event=pb.KeyEvent(**fields))

    def send_key(self, code, down=True, *, modifiers=(), mode=pb.KM_MAP):
        """Map mode: a platform key code, or a name of keys.KEYS meaning its X11 code. Lock flags go in modifiers."""
        chr_ = keys.x11(code) if isinstance(code, str) else code
        self.key_event(chr=chr_, down=down, mode=mode, modifiers=modifiers)

    def tap(self, *codes, modifiers=()):
        """Press the keys in order, release in reverse: tap("LControl", "c")."""
        for code in codes:
            self.send_key(code, True, modifiers=modifiers)
        for code in reversed(codes):
            self.send_key(code, False, modifiers=modifiers)

    def send_set1(self, name, down=True, modifiers=()):
        """Map mode towards a device that calls itself Windows: set-1 scancode of a key name."""
        self.send_key(keys.set1(name), down, modifiers=modifiers)

    def legacy_char(self, char, down=True, *, press=False, modifiers=()):
        """Legacy mode: the character the client's layout made of it."""
        self.key_event(chr=ord(char), down=down and not press, press=press, modifiers=modifiers)

    def legacy_unicode(self, char, modifiers=()):
        """Older soft keyboards: unicode with press."""
        self.key_event(unicode=ord(char), press=True, modifiers=modifiers)

    def control_key(self, name, down=True, *, press=False, modifiers=(), mode=pb.KM_LEGACY):
        """A control_key by its name in wire.md §11.9 ("Return", "F10", "RAlt", ...)."""
        self.key_event(control_key=control_key(name), down=down and not press, press=press, modifiers=modifiers,
                       mode=mode)

    def translate_text(self, text):
        """Translate mode: the text that a key press made."""
        self.key_event(seq=text, down=True, mode=pb.KM_TRANSLATE)

    def translate_key(self, code, down=True, modifiers=()):
        """Translate mode: a key without text."""
        self.send_key(code, down, modifiers=modifiers, mode=pb.KM_TRANSLATE)

    def win2win_hotkey(self, char, virtual_key, down=True):
        self.key_event(win2win_hotkey=virtual_key << 16 | ord(char), down=down, mode=pb.KM_TRANSLATE)

    def input_string(self, text):
        """"Send clipboard keystrokes": seq with down and press both false."""
        self.key_event(seq=text)

    def ctrl_alt_del(self):
        """The menu item, by the device's platform (wire.md §11.8)."""
        if self.peer_info and self.peer_info.platform == "Windows":
            self.control_key("CtrlAltDel")
        else:
            self.control_key("Delete", press=True, modifiers=("Alt", "Control"))

    def lock_screen(self):
        self.control_key("LockScreen")

    # ------------------------------------------------------------------ mouse (wire.md §11.1, §11.2)

    def mouse(self, mask, x=0, y=0, modifiers=()):
        """A raw MouseEvent."""
        self.send(mouse_event=pb.MouseEvent(mask=mask, x=x, y=y, modifiers=[control_key(m) for m in modifiers]))

    def mouse_move(self, x, y, buttons=0):
        """Absolute move; `buttons` are the bits a drag carries."""
        self.mouse(buttons << 3 | _MOVE, x, y)

    def mouse_down(self, button=LEFT, modifiers=(), x=0, y=0):
        """Button down; x, y are normally zero and must not move the pointer."""
        self.mouse(button << 3 | _DOWN, x, y, modifiers)

    def mouse_up(self, button=LEFT, modifiers=(), x=0, y=0):
        self.mouse(button << 3 | _UP, x, y, modifiers)

    def click(self, x, y, button=LEFT):
        self.mouse_move(x, y)
        self.mouse_down(button)
        self.mouse_up(button)

    def mouse_wheel(self, vertical=0, horizontal=0, modifiers=()):
        """Notches; vertical > 0 scrolls up, horizontal > 0 left."""
        self.mouse(_WHEEL, horizontal, vertical, modifiers)

    def mouse_trackpad(self, vertical=0, horizontal=0):
        self.mouse(_TRACKPAD, horizontal, vertical)

    def mouse_relative(self, dx, dy, buttons=0):
        self.mouse(buttons << 3 | _RELATIVE, dx, dy)

    def touch_scale(self, scale):
        self.send(pointer_device_event=pb.PointerDeviceEvent(
            touch_event=pb.TouchEvent(scale_update=pb.TouchScale(scale=scale))))

    def touch_pan(self, phase, x, y):
        """phase: "start", "update" or "end"."""
        self.send(pointer_device_event=pb.PointerDeviceEvent(
            touch_event=pb.TouchEvent(**{f"pan_{phase}": pb.TouchPan(x=x, y=y)})))

    def wake_sequence(self):
        """What a client does that saw no image for 1.5 s (wire.md §10.9); without its pauses."""
        self.mouse_up(LEFT)
        self.mouse_move(0, 0)
        self.mouse_move(3, 3)
        self.mouse_down(RIGHT)
        self.mouse_up(RIGHT)

    # ------------------------------------------------------------------ options (wire.md §10.7, §12.4)

    def set_option(self, **fields):
        """Misc.option; booleans become BoolOption: set_option(disable_keyboard=True, custom_fps=10)."""
        option = pb.OptionMessage(**{k: _bool_option(v) for k, v in fields.items()})
        self._note_decoding(option)
        self.send_misc(option=option)

    def set_image_quality(self, quality):
        """pb.IQ_LOW, IQ_BALANCED or IQ_BEST."""
        self.set_option(image_quality=quality)

    def set_custom_quality(self, percent):
        self.set_option(custom_image_quality=percent << 8)

    def set_custom_fps(self, fps):
        self.set_option(custom_fps=fps)

    def set_view_only(self, on=True):
        self.set_option(disable_keyboard=on)

    def set_decoding(self, codecs, prefer=pb.PREFER_AUTO, i444=False):
        """A fresh SupportedDecoding, replacing the old one."""
        self.set_option(supported_decoding=supported_decoding(codecs, prefer, i444))

    def auto_adjust_fps(self, fps):
        self.send_misc(auto_adjust_fps=fps)

    # ------------------------------------------------------------------ displays (wire.md §10.5, §10.10)

    def refresh_video(self, on=True):
        """Misc.refresh_video; discards non-key frames until a key frame, as the client does."""
        if on:
            self.screen.refresh_asked()
        self.send_misc(refresh_video=on)

    def refresh_video_display(self, display=0):
        self.screen.refresh_asked(display)
        self.send_misc(refresh_video_display=display)

    def capture_displays(self, set=(), add=(), sub=()):
        self.send_misc(capture_displays=pb.CaptureDisplays(set=set, add=add, sub=sub))

    def message_query(self, display=0):
        """MessageQuery{switch_display}: wants a SwitchDisplay back. Index 0 is an empty sub-message."""
        self.send_misc(message_query=pb.MessageQuery(switch_display=display))

    def switch_display(self, display=0, width=0, height=0):
        self.send_misc(switch_display=pb.SwitchDisplay(display=display, width=width, height=height))

    def change_resolution(self, width, height, display=None):
        """display=None: the old change_resolution message."""
        resolution = pb.Resolution(width=width, height=height)
        self.menu.asked_size(display or 0, width, height)
        if display is None:
            self.send_misc(change_resolution=resolution)
        else:
            self.send_misc(change_display_resolution=pb.DisplayResolution(display=display, resolution=resolution))

    def toggle_virtual_display(self, display, on):
        self.send_misc(toggle_virtual_display=pb.ToggleVirtualDisplay(display=display, on=on))

    def video_received(self):
        """Acknowledge a frame, as web clients with video_ack_required do."""
        self.send_misc(video_received=True)

    def desktop_startup(self):
        """What a desktop client sends when its window opens (wire.md §10.10)."""
        self.capture_displays(set=[0])
        self.refresh_video_display(0)

    # ------------------------------------------------------------------ requests (wire.md §12.4)

    def screenshot(self, display=0, sid="shot-1"):
        self.send(screenshot_request=pb.ScreenshotRequest(display=display, sid=sid))

    def voice_call(self, connect=True, timestamp=None):
        """Returns the timestamp that the answer must copy."""
        timestamp = time.time_ns() // 1_000_000 if timestamp is None else timestamp
        self.menu.asked_call(timestamp, connect)
        self.send(voice_call_request=pb.VoiceCallRequest(req_timestamp=timestamp, is_connect=connect))
        return timestamp

    def elevation(self, username=None, password=None):
        """Elevation request: direct, or by logon when a user name is given."""
        request = pb.ElevationRequest(direct=True) if username is None else pb.ElevationRequest(
            logon=pb.OsLogin(username=username, password=password or ""))
        self.menu.asked_elevation()
        self.send_misc(elevation_request=request)

    def block_input(self, on=True):
        self.menu.asked_block_input(on)
        self.set_option(block_input=on)

    def privacy_mode(self, on=True, impl_key="privacy_mode_impl_mag"):
        """impl_key=None: the option that clients before 1.2.4 use."""
        if impl_key is None:
            self.set_option(privacy_mode=on)
        else:
            self.send_misc(toggle_privacy_mode=pb.TogglePrivacyMode(impl_key=impl_key, on=on))

    def restart_remote(self):
        self.send_misc(restart_remote_device=True)

    def chat(self, text):
        self.send_misc(chat_message=pb.ChatMessage(text=text))

    def fence(self, timeout=10.0):
        """Everything asked before has been answered: a delay probe is answered in turn."""
        mark = time.time_ns() // 1000
        self.send(test_delay=pb.TestDelay(from_client=True, time=mark))
        self.wait_for(lambda r: r.kind == "test_delay" and r.msg.from_client and r.msg.time == mark, timeout)

    def record_status(self, on):
        self.send_misc(client_record_status=on)

    def switch_sides(self, uuid=bytes(16)):
        self.send_misc(switch_sides_request=pb.SwitchSidesRequest(uuid=uuid))

    def clipboard(self, content, compress=False, format_=pb.CF_TEXT, multi=True):
        item = pb.Clipboard(compress=compress, content=content, format=format_)
        if multi:
            self.send(multi_clipboards=pb.MultiClipboards(clipboards=[item]))
        else:
            self.send(clipboard=item)
