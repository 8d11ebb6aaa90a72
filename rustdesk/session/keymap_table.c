/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every key once, with every name it has; all look-ups read this table. Sources: HID Usage Tables 1.4 (pages 0x07,
 * 0x0c, 0x01), linux/input-event-codes.h, PS/2 set-1 make codes, the virtual key codes of macOS's HIToolbox, and the
 * protocol's control key numbers. A usage is the one that Linux reads as this very evdev code; where several would do,
 * the one that Windows and firmware know.
 */
#include "rustdesk/session/keymap.h"

#define KEYS KA_PAGE_KEYBOARD
#define CONSUMER KA_PAGE_CONSUMER
#define SYSTEM KA_PAGE_SYSTEM
#define NONE KA_KEY_NO_MAC

/* page, usage, evdev, {set-1 codes}, macOS, {control keys} */
/* clang-format off */
const struct ka_key_row ka_key_table[] = {
	/* letters */
	{KEYS, 0x04, 30, {0x1e}, 0, {0}},            /* A */
	{KEYS, 0x05, 48, {0x30}, 11, {0}},           /* B */
	{KEYS, 0x06, 46, {0x2e}, 8, {0}},            /* C */
	{KEYS, 0x07, 32, {0x20}, 2, {0}},            /* D */
	{KEYS, 0x08, 18, {0x12}, 14, {0}},           /* E */
	{KEYS, 0x09, 33, {0x21}, 3, {0}},            /* F */
	{KEYS, 0x0a, 34, {0x22}, 5, {0}},            /* G */
	{KEYS, 0x0b, 35, {0x23}, 4, {0}},            /* H */
	{KEYS, 0x0c, 23, {0x17}, 34, {0}},           /* I */
	{KEYS, 0x0d, 36, {0x24}, 38, {0}},           /* J */
	{KEYS, 0x0e, 37, {0x25}, 40, {0}},           /* K */
	{KEYS, 0x0f, 38, {0x26}, 37, {0}},           /* L */
	{KEYS, 0x10, 50, {0x32}, 46, {0}},           /* M */
	{KEYS, 0x11, 49, {0x31}, 45, {0}},           /* N */
	{KEYS, 0x12, 24, {0x18}, 31, {0}},           /* O */
	{KEYS, 0x13, 25, {0x19}, 35, {0}},           /* P */
	{KEYS, 0x14, 16, {0x10}, 12, {0}},           /* Q */
	{KEYS, 0x15, 19, {0x13}, 15, {0}},           /* R */
	{KEYS, 0x16, 31, {0x1f}, 1, {0}},            /* S */
	{KEYS, 0x17, 20, {0x14}, 17, {0}},           /* T */
	{KEYS, 0x18, 22, {0x16}, 32, {0}},           /* U */
	{KEYS, 0x19, 47, {0x2f}, 9, {0}},            /* V */
	{KEYS, 0x1a, 17, {0x11}, 13, {0}},           /* W */
	{KEYS, 0x1b, 45, {0x2d}, 7, {0}},            /* X */
	{KEYS, 0x1c, 21, {0x15}, 16, {0}},           /* Y */
	{KEYS, 0x1d, 44, {0x2c}, 6, {0}},            /* Z */
	/* digits */
	{KEYS, 0x1e, 2, {0x02}, 18, {0}},            /* 1 */
	{KEYS, 0x1f, 3, {0x03}, 19, {0}},            /* 2 */
	{KEYS, 0x20, 4, {0x04}, 20, {0}},            /* 3 */
	{KEYS, 0x21, 5, {0x05}, 21, {0}},            /* 4 */
	{KEYS, 0x22, 6, {0x06}, 23, {0}},            /* 5 */
	{KEYS, 0x23, 7, {0x07}, 22, {0}},            /* 6 */
	{KEYS, 0x24, 8, {0x08}, 26, {0}},            /* 7 */
	{KEYS, 0x25, 9, {0x09}, 28, {0}},            /* 8 */
	{KEYS, 0x26, 10, {0x0a}, 25, {0}},           /* 9 */
	{KEYS, 0x27, 11, {0x0b}, 29, {0}},           /* 0 */
	/* whitespace and punctuation */
	{KEYS, 0x28, 28, {0x1c}, 36, {27}},          /* Enter */
	{KEYS, 0x29, 1, {0x01}, 53, {8}},            /* Escape */
	{KEYS, 0x2a, 14, {0x0e}, 51, {2}},           /* Backspace */
	{KEYS, 0x2b, 15, {0x0f}, 48, {31}},          /* Tab */
	{KEYS, 0x2c, 57, {0x39}, 49, {30}},          /* Space */
	{KEYS, 0x2d, 12, {0x0c}, 27, {0}},           /* - _ */
	{KEYS, 0x2e, 13, {0x0d}, 24, {0}},           /* = + */
	{KEYS, 0x2f, 26, {0x1a}, 33, {0}},           /* [ { */
	{KEYS, 0x30, 27, {0x1b}, 30, {0}},           /* ] } */
	{KEYS, 0x31, 43, {0x2b}, 42, {0}},           /* backslash | */
	{KEYS, 0x33, 39, {0x27}, 41, {0}},           /* ; : */
	{KEYS, 0x34, 40, {0x28}, 39, {0}},           /* ' " */
	{KEYS, 0x35, 41, {0x29}, 50, {0}},           /* ` ~ */
	{KEYS, 0x36, 51, {0x33}, 43, {0}},           /* , < */
	{KEYS, 0x37, 52, {0x34}, 47, {0}},           /* . > */
	{KEYS, 0x38, 53, {0x35}, 44, {0}},           /* / ? */
	{KEYS, 0x39, 58, {0x3a}, 57, {3}},           /* CapsLock */
	/* function keys */
	{KEYS, 0x3a, 59, {0x3b}, 122, {9}},          /* F1 */
	{KEYS, 0x3b, 60, {0x3c}, 120, {13}},         /* F2 */
	{KEYS, 0x3c, 61, {0x3d}, 99, {14}},          /* F3 */
	{KEYS, 0x3d, 62, {0x3e}, 118, {15}},         /* F4 */
	{KEYS, 0x3e, 63, {0x3f}, 96, {16}},          /* F5 */
	{KEYS, 0x3f, 64, {0x40}, 97, {17}},          /* F6 */
	{KEYS, 0x40, 65, {0x41}, 98, {18}},          /* F7 */
	{KEYS, 0x41, 66, {0x42}, 100, {19}},         /* F8 */
	{KEYS, 0x42, 67, {0x43}, 101, {20}},         /* F9 */
	{KEYS, 0x43, 68, {0x44}, 109, {10}},         /* F10 */
	{KEYS, 0x44, 87, {0x57}, 103, {11}},         /* F11 */
	{KEYS, 0x45, 88, {0x58}, 111, {12}},         /* F12 */
	{KEYS, 0x68, 183, {0x64}, 105, {0}},         /* F13 */
	{KEYS, 0x69, 184, {0x65}, 107, {0}},         /* F14 */
	{KEYS, 0x6a, 185, {0x66}, 113, {0}},         /* F15 */
	{KEYS, 0x6b, 186, {0x67}, 106, {0}},         /* F16 */
	{KEYS, 0x6c, 187, {0x68}, 64, {0}},          /* F17 */
	{KEYS, 0x6d, 188, {0x69}, 79, {0}},          /* F18 */
	{KEYS, 0x6e, 189, {0x6a}, 80, {0}},          /* F19 */
	{KEYS, 0x6f, 190, {0x6b}, 90, {0}},          /* F20 */
	{KEYS, 0x70, 191, {0x6c}, NONE, {0}},        /* F21 */
	{KEYS, 0x71, 192, {0x6d}, NONE, {0}},        /* F22 */
	{KEYS, 0x72, 193, {0x6e}, NONE, {0}},        /* F23 */
	{KEYS, 0x73, 194, {0x76}, NONE, {0}},        /* F24 */
	/* PrintScreen (with Alt: 54), ScrollLock, Pause (with Ctrl: Break, which is Cancel), the six-key block, arrows */
	{KEYS, 0x46, 99, {0xe037, 0x54}, NONE, {57, 55}}, /* PrintScreen */
	{KEYS, 0x47, 70, {0x46}, NONE, {62}},        /* ScrollLock */
	{KEYS, 0x48, 119, {0xe046}, NONE, {46, 43}}, /* Pause */
	{KEYS, 0x49, 110, {0xe052}, 114, {58}},      /* Insert */
	{KEYS, 0x4a, 102, {0xe047}, 115, {21}},      /* Home */
	{KEYS, 0x4b, 104, {0xe049}, 116, {26}},      /* PageUp */
	{KEYS, 0x4c, 111, {0xe053}, 117, {5}},       /* Delete */
	{KEYS, 0x4d, 107, {0xe04f}, 119, {7}},       /* End */
	{KEYS, 0x4e, 109, {0xe051}, 121, {25}},      /* PageDown */
	{KEYS, 0x4f, 106, {0xe04d}, 124, {28}},      /* Right */
	{KEYS, 0x50, 105, {0xe04b}, 123, {22}},      /* Left */
	{KEYS, 0x51, 108, {0xe050}, 125, {6}},       /* Down */
	{KEYS, 0x52, 103, {0xe048}, 126, {32}},      /* Up */
	/* keypad; hooks report NumLock as 45 or E0 45 */
	{KEYS, 0x53, 69, {0x45, 0xe045}, 71, {63}},  /* NumLock */
	{KEYS, 0x54, 98, {0xe035}, 75, {70}},        /* keypad / */
	{KEYS, 0x55, 55, {0x37}, 67, {66}},          /* keypad * */
	{KEYS, 0x56, 74, {0x4a}, 78, {68}},          /* keypad - */
	{KEYS, 0x57, 78, {0x4e}, 69, {67}},          /* keypad + */
	{KEYS, 0x58, 96, {0xe01c}, 76, {72}},        /* keypad Enter */
	{KEYS, 0x59, 79, {0x4f}, 83, {34}},          /* keypad 1 */
	{KEYS, 0x5a, 80, {0x50}, 84, {35}},          /* keypad 2 */
	{KEYS, 0x5b, 81, {0x51}, 85, {36}},          /* keypad 3 */
	{KEYS, 0x5c, 75, {0x4b}, 86, {37}},          /* keypad 4 */
	{KEYS, 0x5d, 76, {0x4c}, 87, {38, 44}},      /* keypad 5; without NumLock Clear */
	{KEYS, 0x5e, 77, {0x4d}, 88, {39}},          /* keypad 6 */
	{KEYS, 0x5f, 71, {0x47}, 89, {40}},          /* keypad 7 */
	{KEYS, 0x60, 72, {0x48}, 91, {41}},          /* keypad 8 */
	{KEYS, 0x61, 73, {0x49}, 92, {42}},          /* keypad 9 */
	{KEYS, 0x62, 82, {0x52}, 82, {33}},          /* keypad 0 */
	{KEYS, 0x63, 83, {0x53}, 65, {69}},          /* keypad . */
	{KEYS, 0x67, 117, {0x59}, 81, {71}},         /* keypad = */
	{KEYS, 0x85, 121, {0x7e}, 95, {61}},         /* keypad , of Brazil (ABNT C2), Separator */
	{KEYS, 0x8c, 95, {0x5c}, NONE, {0}},         /* keypad , of Japan */
	{KEYS, 0xb6, 179, {0}, NONE, {0}},           /* keypad ( */
	{KEYS, 0xb7, 180, {0}, NONE, {0}},           /* keypad ) */
	/* ISO, Japanese, Brazilian (ABNT C1 is Ro), Korean; LANG5 has no set-1 code of its own: 76 is F24 */
	{KEYS, 0x64, 86, {0x56}, 10, {0}},           /* ISO key beside left Shift */
	{KEYS, 0x87, 89, {0x73}, 94, {0}},           /* Ro; ABNT C1 */
	{KEYS, 0x88, 93, {0x70}, NONE, {47}},        /* Hiragana/Katakana */
	{KEYS, 0x89, 124, {0x7d}, 93, {0}},          /* Yen */
	{KEYS, 0x8a, 92, {0x79}, NONE, {53}},        /* Henkan */
	{KEYS, 0x8b, 94, {0x7b}, NONE, {0}},         /* Muhenkan */
	{KEYS, 0x90, 122, {0x72, 0xf2}, 104, {48}},  /* LANG1: Hangul; Kana of a Mac */
	{KEYS, 0x91, 123, {0x71, 0xf1}, 102, {51, 52}}, /* LANG2: Hanja; Eisu of a Mac */
	{KEYS, 0x92, 90, {0x78}, NONE, {0}},         /* Katakana */
	{KEYS, 0x93, 91, {0x77}, NONE, {0}},         /* Hiragana */
	{KEYS, 0x94, 85, {0}, NONE, {0}},            /* Zenkaku/Hankaku */
	/* keys of workstations */
	{KEYS, 0x74, 134, {0}, NONE, {56}},          /* Execute, Open */
	{KEYS, 0x75, 138, {0}, NONE, {59}},          /* Help */
	{KEYS, 0x76, 130, {0}, NONE, {0}},           /* Properties */
	{KEYS, 0x77, 132, {0}, NONE, {54}},          /* Select, Front */
	{KEYS, 0x79, 129, {0}, NONE, {0}},           /* Again */
	{KEYS, 0x7a, 131, {0}, NONE, {0}},           /* Undo */
	{KEYS, 0x7b, 137, {0}, NONE, {0}},           /* Cut */
	{KEYS, 0x7c, 133, {0}, NONE, {0}},           /* Copy */
	{KEYS, 0x7d, 135, {0}, NONE, {0}},           /* Paste */
	{KEYS, 0x7e, 136, {0}, NONE, {0}},           /* Find */
	/* modifiers and menu; Option is the left Alt of a Mac */
	{KEYS, 0x65, 127, {0xe05d}, 110, {65, 45}},  /* Menu */
	{KEYS, 0xe0, 29, {0x1d}, 59, {4}},           /* left Ctrl */
	{KEYS, 0xe1, 42, {0x2a}, 56, {29}},          /* left Shift */
	{KEYS, 0xe2, 56, {0x38}, 58, {1, 24}},       /* left Alt */
	{KEYS, 0xe3, 125, {0xe05b}, 55, {23}},       /* left GUI */
	{KEYS, 0xe4, 97, {0xe01d}, 62, {74}},        /* right Ctrl */
	{KEYS, 0xe5, 54, {0x36}, 60, {73}},          /* right Shift */
	{KEYS, 0xe6, 100, {0xe038}, 61, {75}},       /* right Alt, AltGr */
	{KEYS, 0xe7, 126, {0xe05c}, 54, {64}},       /* right GUI */
	/* consumer page: media */
	{CONSUMER, 0xe2, 113, {0xe020}, 74, {76}},   /* mute */
	{CONSUMER, 0xe9, 115, {0xe030}, 72, {77}},   /* volume up */
	{CONSUMER, 0xea, 114, {0xe02e}, 73, {78}},   /* volume down */
	{CONSUMER, 0xb5, 163, {0xe019}, NONE, {0}},  /* next track */
	{CONSUMER, 0xb6, 165, {0xe010}, NONE, {0}},  /* previous track */
	{CONSUMER, 0xb7, 166, {0xe024}, NONE, {0}},  /* stop */
	{CONSUMER, 0xcd, 164, {0xe022}, NONE, {0}},  /* play/pause */
	{CONSUMER, 0xb0, 207, {0}, NONE, {0}},       /* play */
	{CONSUMER, 0xb2, 167, {0}, NONE, {0}},       /* record */
	{CONSUMER, 0xb3, 208, {0}, NONE, {0}},       /* fast forward */
	{CONSUMER, 0xb4, 168, {0}, NONE, {0}},       /* rewind */
	{CONSUMER, 0xb8, 161, {0xe02c}, NONE, {0}},  /* eject */
	{CONSUMER, 0x183, 171, {0xe06d}, NONE, {0}}, /* media player, tools */
	{CONSUMER, 0x6f, 225, {0}, NONE, {0}},       /* brightness up */
	{CONSUMER, 0x70, 224, {0}, NONE, {0}},       /* brightness down */
	{CONSUMER, 0x79, 230, {0}, NONE, {0}},       /* keyboard light up */
	{CONSUMER, 0x7a, 229, {0}, NONE, {0}},       /* keyboard light down */
	{CONSUMER, 0x7c, 228, {0}, NONE, {0}},       /* keyboard light on/off */
	/* consumer page: programs and browser */
	{CONSUMER, 0x40, 139, {0}, NONE, {0}},       /* menu */
	{CONSUMER, 0x192, 140, {0xe021}, NONE, {0}}, /* calculator */
	{CONSUMER, 0x194, 144, {0xe06b}, NONE, {0}}, /* file manager */
	{CONSUMER, 0x196, 150, {0}, NONE, {0}},      /* web browser */
	{CONSUMER, 0x19e, 152, {0}, NONE, {0}},      /* lock the screen */
	{CONSUMER, 0x18a, 155, {0xe06c}, NONE, {0}}, /* mail */
	{CONSUMER, 0x199, 216, {0}, NONE, {0}},      /* chat */
	{CONSUMER, 0x191, 219, {0}, NONE, {0}},      /* finance */
	{CONSUMER, 0x1a7, 235, {0}, NONE, {0}},      /* documents */
	{CONSUMER, 0x223, 172, {0xe032}, NONE, {0}}, /* home page */
	{CONSUMER, 0x221, 217, {0xe065}, NONE, {0}}, /* search */
	{CONSUMER, 0x224, 158, {0xe06a}, NONE, {0}}, /* back */
	{CONSUMER, 0x225, 159, {0xe069}, NONE, {0}}, /* forward */
	{CONSUMER, 0x226, 128, {0xe068}, NONE, {0}}, /* stop loading */
	{CONSUMER, 0x227, 173, {0xe067}, NONE, {0}}, /* refresh */
	{CONSUMER, 0x22a, 156, {0xe066}, NONE, {0}}, /* bookmarks */
	{CONSUMER, 0x233, 177, {0}, NONE, {0}},      /* scroll up */
	{CONSUMER, 0x234, 178, {0}, NONE, {0}},      /* scroll down */
	{CONSUMER, 0x201, 181, {0}, NONE, {0}},      /* new */
	{CONSUMER, 0x203, 206, {0}, NONE, {0}},      /* close */
	{CONSUMER, 0x204, 174, {0}, NONE, {0}},      /* exit */
	{CONSUMER, 0x207, 234, {0}, NONE, {0}},      /* save */
	{CONSUMER, 0x208, 210, {0}, NONE, {0}},      /* print */
	{CONSUMER, 0x23d, 176, {0}, NONE, {0}},      /* edit */
	{CONSUMER, 0x25f, 223, {0}, NONE, {0}},      /* cancel */
	{CONSUMER, 0x279, 182, {0}, NONE, {0}},      /* redo */
	{CONSUMER, 0x289, 232, {0}, NONE, {0}},      /* reply */
	{CONSUMER, 0x28b, 233, {0}, NONE, {0}},      /* forward a mail */
	{CONSUMER, 0x28c, 231, {0}, NONE, {0}},      /* send */
	/* system control */
	{SYSTEM, 0x81, 116, {0xe05e}, NONE, {79}},   /* power */
	{SYSTEM, 0x82, 142, {0xe05f}, NONE, {60}},   /* sleep */
	{SYSTEM, 0x83, 143, {0xe063}, NONE, {0}},    /* wake up */
};
/* clang-format on */

const size_t ka_key_table_len = KA_ARRAY_LEN(ka_key_table);
