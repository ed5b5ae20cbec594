"""Strings on which encoders like to differ."""

HARD = [
    "", " ", "a", "\t\r\n", "Hello world", "  two   spaces ", "[MASK]", "a [MASK] b", "[CLS][SEP]",
    "[[MASK]]", "[PAD]x[UNK]", "<0x41>", "x<0x0A>y", "<<0x41>>", "[\u200bCLS]", "［MASK］", "´", "x´",
    "\u00a0x´ y", "▁▁a", "a▁b", "▁", "日本語のテキスト", "👩\u200d👩\u200d👧 family", "ﬁne ﬂow", "e\u0301",
    "\u0301", " \u0301x", "a\x00b\x1cc", "a\x85b", "\u2028x\u2029", "ｶﾞ", "한국어",
    "\u1112\u1161\u11ab", "İstanbul ſ", "\ufeffx", "﷽", "𝒳𝓎", "\ud7ff", "\ue000", "\U0010ffff",
    "\u200b", "\u00adsoft\u00adhyphen", "a\u200fb", "1½ ² ㎏", "...…", "don't—stop", "ÅÅ Å",
    "x" * 300, "日" * 50, "kami " * 100, "\x0b\x0c a", "[MASK", "MASK]", "<0x4>",
]  # fmt: skip
