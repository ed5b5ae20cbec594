"""Texts on which tokenizers like to differ, and texts made of a tokenizer's own pieces: the same ones every time."""

import random
from collections.abc import Iterable

# Each line is here because some tokenizer, or two versions of one, disagreed on such a text.
HARD = [
    "", " ", "\t\r\n", "a", "The quick brown fox.", "  two   blanks  ", "tabs\tand\nlines\r\nand\rreturns",
    "Don't—stop… (it's 3.14%, $5; e-mail: a_b@c.org/d?e=f#g) [sic] {x} <tag> `tick` ^ ~ | \\ * +",
    "ÀÉÎÕÜ àéîõü Ångström naïve façade Żółć İstanbul ıi ſharp STRASSE straße ΣΑΣ ς ǅ ŉ",
    "e\u0301 a\u030a\u0323 \u0301 \u0301x x\u0301\u0302\u0303 q\u0307\u0323 \u0958 क़",
    "日本語のテキスト 中文文本 漢字かな交じり文 カタカナ ｶﾞｷﾞ 한국어 \u1112\u1161\u11ab 㐀 豈 𠀀 ㎏ ㍿ 〇",
    "русский Ёлка й й український ελληνικά ά ά עִבְרִית العربيّة لا ﻻ ﷽ हिन्दी ไทย தமிழ்",
    "👩\u200d👩\u200d👧 👍🏽 🇩🇪 ❤\ufe0f ☃ 😀text😀 #️⃣ 🏴\U000e0067\U000e0062\U000e007f",
    "a\x00b\x01c\x07d\x1be\x7ff\x80g\x85h\x9fi", "a\x0bb\x0cc\x1cd\x1de\x1ef",
    "\u2028x\u2029y\u00a0z\u3000w\u1680v\u2007u",
    "soft\u00adhyphen zero\u200bwide non\u200cjoin word\u2060joiner \ufeffmark left\u200eright\u200f \u202arun\u202c",
    "\ufffd \ue000 \U000f0000 \ud7ff \U0010ffff \ufdd0 \u0378",
    "ﬁne ﬂow Ⅷ ½ ² ™ ℡ ａＢｃ１２３ 𝒳𝓎 ´x ¨ ˚ ¸",
    "##ing ## # un##aff ##", "▁ ▁▁ a▁b _under__score_", "[mask] [cls] (MASK) < mask > </ s > <0x4 1>",
    "1,000,000.50 2024-01-02T03:04:05Z 0xFF 1e-5 ١٢٣ ৪৫", "http://example.org/a-b_c?d=e&f=%20#g",
    "C++ C# .NET R&D AT&T",
    "x" * 99, "x" * 100, "x" * 101, "y" * 3000, "Ab" * 400, "日" * 300, "a " * 400, "." * 200, "-" * 101,
    " " * 1000 + "x",
    "\n" * 300, "é" * 101, "e\u0301" * 60, "ab\u200b" * 40, "word," * 50, "1" * 150,
]  # fmt: skip
_RANGES = [
    (0x20, 0x7F), (0x80, 0x250), (0x300, 0x530), (0x590, 0x700), (0x900, 0xE80), (0x1E00, 0x2300), (0x2600, 0x2700),
    (0x3000, 0x3100), (0x4E00, 0x4F00), (0xAC00, 0xAC40), (0xF900, 0xFA00), (0xFB00, 0xFDFF), (0xFE70, 0xFFEF),
    (0x1F300, 0x1F650), (0x20000, 0x20040),
]  # fmt: skip
_RUN = 2000  # characters: a rule that takes a time with a power above their square is found out


def texts(pieces: Iterable[str], added: Iterable[str], special: Iterable[str], letters: str = "") -> list[str]:
    """Return sample texts for a tokenizer of these pieces and added tokens.

    None holds a special piece, which is ordinary text for us and one piece for others. ``letters`` are the characters
    that its rules mention: each comes in a long run.
    """
    draw = random.Random(0)
    words = sorted({piece.removeprefix("##").replace("▁", " ") for piece in pieces})
    sample = draw.sample(words, min(600, len(words)))
    found = [*HARD, *sample, *(word.upper() for word in sample[:100]), *(word.title() for word in sample[:100])]
    for joint in (" ", "", "-", ", "):
        found += [joint.join(draw.choices(sample or ["a"], k=draw.randint(2, 8))) for _ in range(100)]
    pool = [chr(code) for start, end in _RANGES for code in range(start, end)]
    found += ["".join(draw.choices(pool, k=draw.randint(1, 30))) for _ in range(300)]
    for token in draw.sample(sorted(set(added)), min(200, len(set(added)))):
        found += [token, f"the {token} was", f"x{token}y", f"  {token}  {token}{token}.", token.upper(), token.lower()]
        found += [
            f"{sample[0] if sample else 'a'}{token}",
            f"é{token}\u0301",
            f"{token[:-1]} {token[1:]}",
            f"日{token}日",
        ]
    found += [letter * _RUN + end for letter in letters[:50] for end in ("", "!", f"!{letters}")]
    literal = [piece.casefold() for piece in special if piece]
    return [text for text in dict.fromkeys(found) if not any(piece in text.casefold() for piece in literal)]
