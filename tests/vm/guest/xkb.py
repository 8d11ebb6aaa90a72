# SPDX-License-Identifier: GPL-3.0-or-later
"""libxkbcommon as the target's desktop uses it: keys of a layout to characters, dead keys composed as X11 does."""
import ctypes
import unicodedata

LIB = ctypes.CDLL("libxkbcommon.so.0")
DOWN, UP = 1, 0
COMPOSING, COMPOSED, CANCELLED = 1, 2, 3
LOCKED = 1 << 2  # XKB_STATE_MODS_LOCKED
OFFSET = 8  # XKB keycode = evdev code + 8
# The keys of a main block: digits, letters, punctuation, the ISO key, Ro and Yen.
TYPING = (*range(2, 14), *range(16, 28), *range(30, 42), *range(43, 54), 57, 86, 89, 124)
LEFT_SHIFT, RIGHT_ALT, CAPS = 42, 100, 58


class Names(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("rules", "model", "layout", "variant", "options")]


def _declare():
    pointer, u32 = ctypes.c_void_p, ctypes.c_uint32
    for name, result, *arguments in (
            ("context_new", pointer, ctypes.c_int), ("context_unref", None, pointer),
            ("keymap_new_from_names", pointer, pointer, pointer, ctypes.c_int), ("keymap_unref", None, pointer),
            ("state_new", pointer, pointer), ("state_unref", None, pointer),
            ("state_update_key", ctypes.c_int, pointer, u32, ctypes.c_int),
            ("state_key_get_one_sym", u32, pointer, u32), ("state_serialize_mods", u32, pointer, ctypes.c_int),
            ("keysym_to_utf32", u32, u32),
            ("compose_table_new_from_locale", pointer, pointer, ctypes.c_char_p, ctypes.c_int),
            ("compose_table_unref", None, pointer), ("compose_state_new", pointer, pointer, ctypes.c_int),
            ("compose_state_unref", None, pointer), ("compose_state_feed", ctypes.c_int, pointer, u32),
            ("compose_state_get_status", ctypes.c_int, pointer), ("compose_state_get_one_sym", u32, pointer)):
        function = getattr(LIB, f"xkb_{name}")
        function.restype, function.argtypes = result, arguments


_declare()


class Desktop:
    """One layout: feed it evdev codes, it keeps the text that they make."""

    def __init__(self, name):
        layout, _, variant = name.rstrip(")").partition("(")
        self.context = LIB.xkb_context_new(0)
        names = Names(b"evdev", b"pc105", layout.encode(), variant.encode(), None)
        self.keymap = LIB.xkb_keymap_new_from_names(self.context, ctypes.byref(names), 0)
        self.table = LIB.xkb_compose_table_new_from_locale(self.context, b"en_US.UTF-8", 0)
        assert self.keymap and self.table, name
        self.text = ""
        self.down = set()
        self.state = LIB.xkb_state_new(self.keymap)
        self.compose = LIB.xkb_compose_state_new(self.table, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        LIB.xkb_compose_state_unref(self.compose)
        LIB.xkb_state_unref(self.state)
        LIB.xkb_compose_table_unref(self.table)
        LIB.xkb_keymap_unref(self.keymap)
        LIB.xkb_context_unref(self.context)

    def key(self, evdev, down):
        (self.down.add if down else self.down.discard)(evdev)
        if down:
            self.symbol(LIB.xkb_state_key_get_one_sym(self.state, evdev + OFFSET))
        LIB.xkb_state_update_key(self.state, evdev + OFFSET, DOWN if down else UP)

    def symbol(self, sym):
        if not LIB.xkb_compose_state_feed(self.compose, sym):
            return  # a modifier: it says nothing, and what was said last stands
        status = LIB.xkb_compose_state_get_status(self.compose)
        if status == COMPOSED:
            sym = LIB.xkb_compose_state_get_one_sym(self.compose)
        elif status in (COMPOSING, CANCELLED):
            return
        char = LIB.xkb_keysym_to_utf32(sym)
        if char >= 0x20 and char != 0x7f:
            self.text += chr(char)

    def caps_locked(self):
        return bool(LIB.xkb_state_serialize_mods(self.state, LOCKED))

    def symbols(self):
        """Keysyms of all typing keys, plain and with Shift, AltGr and both."""
        found = []
        for held in ((), (LEFT_SHIFT,), (RIGHT_ALT,), (LEFT_SHIFT, RIGHT_ALT)):
            for key in held:
                LIB.xkb_state_update_key(self.state, key + OFFSET, DOWN)
            found += [LIB.xkb_state_key_get_one_sym(self.state, key + OFFSET) for key in TYPING]
            for key in held:
                LIB.xkb_state_update_key(self.state, key + OFFSET, UP)
        return list(dict.fromkeys(found))

    def printable(self):
        """All characters that keys make, and the letters of Europe's languages that dead keys make of two."""
        symbols = self.symbols()
        single = [chr(c) for c in map(LIB.xkb_keysym_to_utf32, symbols) if c >= 0x20 and c != 0x7f]
        dead = [s for s in symbols if 0xfe50 <= s <= 0xfe8f]
        letters = [s for s in symbols if chr(LIB.xkb_keysym_to_utf32(s)).isalpha()]
        for accent in dead:
            for letter in letters:
                self.text = ""
                self.symbol(accent)
                self.symbol(letter)
                if len(unicodedata.normalize("NFD", self.text)) == 2 and ord(self.text) < 0x180:
                    single.append(self.text)
        self.text = ""
        return "".join(dict.fromkeys(single))
