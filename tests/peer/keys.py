# SPDX-License-Identifier: GPL-3.0-or-later
"""Key code table (wire.md §11.10): name -> X11 code, set-1 scancode, USB HID usage. For tests on both ends."""

import collections

Key = collections.namedtuple("Key", "name x11 set1 hid")

# name, X11 (evdev + 8), Windows set-1 (0xE0.. extended), HID usage (page 7)
_ROWS = """
Escape 9 01 29       1 10 02 1E          2 11 03 1F          3 12 04 20          4 13 05 21
5 14 06 22           6 15 07 23          7 16 08 24          8 17 09 25          9 18 0A 26
0 19 0B 27           minus 20 0C 2D      equal 21 0D 2E      Backspace 22 0E 2A  Tab 23 0F 2B
q 24 10 14           w 25 11 1A          e 26 12 08          r 27 13 15          t 28 14 17
y 29 15 1C           u 30 16 18          i 31 17 0C          o 32 18 12          p 33 19 13
bracketleft 34 1A 2F bracketright 35 1B 30  Return 36 1C 28  LControl 37 1D E0   a 38 1E 04
s 39 1F 16           d 40 20 07          f 41 21 09          g 42 22 0A          h 43 23 0B
j 44 24 0D           k 45 25 0E          l 46 26 0F          semicolon 47 27 33  apostrophe 48 28 34
grave 49 29 35       LShift 50 2A E1     backslash 51 2B 31  z 52 2C 1D          x 53 2D 1B
c 54 2E 06           v 55 2F 19          b 56 30 05          n 57 31 11          m 58 32 10
comma 59 33 36       period 60 34 37     slash 61 35 38      RShift 62 36 E5     KPMultiply 63 37 55
LAlt 64 38 E2        Space 65 39 2C      CapsLock 66 3A 39   F1 67 3B 3A         F2 68 3C 3B
F3 69 3D 3C          F4 70 3E 3D         F5 71 3F 3E         F6 72 40 3F         F7 73 41 40
F8 74 42 41          F9 75 43 42         F10 76 44 43        NumLock 77 45 53    ScrollLock 78 46 47
KP7 79 47 5F         KP8 80 48 60        KP9 81 49 61        KPSubtract 82 4A 56 KP4 83 4B 5C
KP5 84 4C 5D         KP6 85 4D 5E        KPAdd 86 4E 57      KP1 87 4F 59        KP2 88 50 5A
KP3 89 51 5B         KP0 90 52 62        KPDecimal 91 53 63  ISO 94 56 64        F11 95 57 44
F12 96 58 45         Ro 97 73 87         Henkan 100 79 8A    Katakana 101 70 88  Muhenkan 102 7B 8B
KPEnter 104 E01C 58  RControl 105 E01D E4 KPDivide 106 E035 54 PrintScreen 107 E037 46 RAlt 108 E038 E6
Home 110 E047 4A     Up 111 E048 52      PageUp 112 E049 4B  Left 113 E04B 50    Right 114 E04D 4F
End 115 E04F 4D      Down 116 E050 51    PageDown 117 E051 4E Insert 118 E052 49 Delete 119 E053 4C
KPEqual 125 59 67    Pause 127 E046 48   Yen 132 7D 89       LMeta 133 E05B E3   RMeta 134 E05C E7
Menu 135 E05D 65     F13 191 64 68       F14 192 65 69       F15 193 66 6A       F16 194 67 6B
F17 195 68 6C        F18 196 69 6D       F19 197 6A 6E       F20 198 6B 6F       F21 199 6C 70
F22 200 6D 71        F23 201 6E 72       F24 202 76 73       Hangul 130 F2 90    Hanja 131 F1 91
"""


def _table():
    words = _ROWS.split()
    rows = zip(words[0::4], words[1::4], words[2::4], words[3::4])
    return {name: Key(name, int(x11), int(set1, 16), int(hid, 16)) for name, x11, set1, hid in rows}


KEYS = _table()
MODIFIERS = ("LControl", "LShift", "LAlt", "LMeta", "RControl", "RShift", "RAlt", "RMeta")
MEDIA = {"Mute": (121, 0xE020), "VolumeDown": (122, 0xE02E), "VolumeUp": (123, 0xE030)}
"""X11 and set-1 codes of the consumer-page keys."""


def x11(name):
    return KEYS[name].x11


def set1(name):
    return KEYS[name].set1


def hid(name):
    return KEYS[name].hid
