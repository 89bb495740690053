"""Made-up personal data in the forms in which people type and say it.

Written apart from the recognisers on purpose: check digits are worked out here once more, and no
table is shared, so that a slip in one is not repeated in the other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Maker = Callable[[random.Random], str]

_AREAS = ("410105", "410122", "110101", "130203", "320581", "440305", "510104", "610113", "230102")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云渝藏陕甘青宁新"
_BINS = ("622202", "621700", "622848", "621661", "622588", "621226", "623058", "436742", "955880")
_SURNAMES: tuple[str, ...] = (
    *"王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏",
    *"魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚",
    "欧阳", "上官", "司马", "诸葛", "夏侯", "皇甫", "尉迟", "令狐",
)  # fmt: skip
_GIVEN_FIRST = (
    "建国志明晓海文秀玉桂春丽红小永俊振金淑雅子宇浩思嘉佳德庆广学世兆凤兰爱月雪冬长新光立"
)
_GIVEN_LAST = (
    "伟芳敏静强磊军洋勇艳杰娟涛超霞平刚英华梅鑫琴云玲龙飞萍波辉凯健丹斌莉宁琳峰婷轩涵怡然彤"
)
SAID = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
RADIO = dict(zip("0123456789", "洞幺两三四五六拐八勾", strict=True))
ROUND = dict(zip("0123456789", "〇一二三四五六七八九", strict=True))
FORMAL = dict(zip("0123456789", "零壹贰叁肆伍陆柒捌玖", strict=True))
ONE_AS_YAO = {**SAID, "1": "幺"}
READINGS = (SAID, RADIO, ROUND, FORMAL, ONE_AS_YAO, ONE_AS_YAO)
_TIMES = {2: "两", 3: "三", 4: "四", 5: "五"}


def mobile(rng: random.Random) -> str:
    heads = (
        "130 131 133 135 136 137 138 139 145 147 150 151 155 158 166 173 177 182 186 189 191 199"
    )
    return f"{rng.choice(heads.split())}{rng.randrange(10**8):08d}"


def landline(rng: random.Random) -> str:
    area = rng.choice(("010", "021", "020", "0371", "0378", "0591", "0755", "0531"))
    rest = 7 if area in ("0378",) else 8
    return f"{area}-{rng.randrange(2, 9)}{rng.randrange(10 ** (rest - 1)):0{rest - 1}d}"


def local_line(rng: random.Random) -> str:
    return f"{rng.randrange(5, 9)}{rng.randrange(10**7):07d}"


def id_card(rng: random.Random) -> str:
    birth = f"{rng.randrange(1938, 2016)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
    body = f"{rng.choice(_AREAS)}{birth}{rng.randrange(1000):03d}"
    # ISO 7064, MOD 11-2, as a running remainder rather than by a table of weights.
    rest = 0
    for digit in body:
        rest = (rest + int(digit)) * 2 % 11
    return body + "0123456789X"[(12 - rest) % 11]


def old_id_card(rng: random.Random) -> str:
    birth = f"{rng.randrange(30, 85)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
    return f"{rng.choice(_AREAS)}{birth}{rng.randrange(1000):03d}"


def bank_card(rng: random.Random) -> str:
    head = rng.choice(_BINS)
    length = 16 if head == "436742" else 19
    body = head + "".join(rng.choice("0123456789") for _ in range(length - 1 - len(head)))
    total = 0
    for place, char in enumerate(reversed(body)):
        value = int(char) * (2 - place % 2)
        total += value // 10 + value % 10
    return body + str(-total % 10)


def plate(rng: random.Random) -> str:
    head = rng.choice(_PROVINCES) + rng.choice(_LETTERS[:20])
    digits = f"{rng.randrange(10**5):05d}"
    style = rng.randrange(8)
    if style == 0:
        return head + rng.choice("DF") + digits
    if style == 1:
        return head + digits + rng.choice("DF")
    if style == 2:
        return head + digits[:4] + rng.choice("警学挂")
    if style == 3:
        place = rng.randrange(5)
        return head + digits[:place] + rng.choice(_LETTERS) + digits[place + 1 :]
    if style == 4:
        return head + rng.choice(_LETTERS) + rng.choice(_LETTERS) + digits[:3]
    return head + digits


def special_plate(rng: random.Random) -> str:
    digits = f"{rng.randrange(10**6):06d}"
    return rng.choice((f"使{digits}", f"WJ{rng.choice(_PROVINCES)}{digits[:5]}", f"{digits}使"))


def passport(rng: random.Random) -> str:
    if rng.random() < 0.4:
        return f"E{rng.choice(_LETTERS)}{rng.randrange(10**7):07d}"
    return f"{rng.choice('EG')}{rng.randrange(10**8):08d}"


def email(rng: random.Random) -> str:
    if rng.random() < 0.4:
        return f"{rng.randrange(10**7, 10**10)}@qq.com"
    user = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randrange(3, 10)))
    tail = rng.choice(("", str(rng.randrange(2000)), f"_{rng.randrange(100)}", ".zz"))
    hosts = ("163.com", "126.com", "sina.com.cn", "gmail.com", "foxmail.com")
    return f"{user}{tail}@{rng.choice(hosts)}"


def name(rng: random.Random) -> str:
    given = rng.choice(_GIVEN_LAST)
    if rng.random() < 0.7:
        given = rng.choice(_GIVEN_FIRST) + given
    return rng.choice(_SURNAMES) + given


def home(rng: random.Random) -> str:
    building, unit = rng.randrange(1, 40), rng.randrange(1, 6)
    floor = rng.randrange(1, 33)
    room = f"{floor}{rng.randrange(1, 7):02d}"
    return rng.choice(
        (
            f"{building}号楼{unit}单元{room}室", f"{building}号楼{unit}单元{room}",
            f"{building}栋{unit}单元{room}", f"{building}栋{room}室",
            f"{building}幢{unit}单元{room}室", f"{building}号楼{room}",
            f"{rng.choice('ABCD')}座{room}室", f"{building}#{unit}单元{room}",
            f"{building}号楼{unit}单元{floor}楼东户", f"{building}号楼{unit}单元{floor}层{room}",
        )
    )  # fmt: skip


MAKERS: dict[str, tuple[Maker, ...]] = {
    "mobile": (mobile,),
    "landline": (landline, landline, local_line),
    "id_card": (id_card, id_card, id_card, old_id_card),
    "bank_card": (bank_card,),
    "plate": (plate, plate, plate, plate, special_plate),
    "passport": (passport,),
    "email": (email,),
    "name": (name,),
    "home": (home,),
}
_GROUPS = {
    "mobile": ((3, 4, 4), (3, 3, 5), (4, 3, 4)),
    "id_card": ((6, 8, 4), (6, 4, 4, 4), (3, 3, 4, 4, 4)),
    "bank_card": ((4, 4, 4, 4, 4), (6, 13), (4, 4, 4, 7)),
}
_FILLERS = ("嗯", "呃", "啊", "，嗯，", " 那个 ", "那个", "，然后", "嗯嗯", "，就是")
_TURNS = (
    "\n坐席：嗯\n市民：",
    "\n坐席：好的\n市民：",
    " 坐席：嗯嗯 市民：",
    "\n座席：您继续\n来电人：",
)


def dressed(kind: str, value: str, rng: random.Random) -> str:
    """`value` in one of the forms of its kind."""
    return rng.choice(_DRESSES[kind])(kind, value, rng)


def _plain(kind: str, value: str, rng: random.Random) -> str:
    return value


def _wide(kind: str, value: str, rng: random.Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value)


def _spread(kind: str, value: str, rng: random.Random) -> str:
    return rng.choice((" ", ".", "-", "·")).join(value.replace("-", ""))


def _grouped(kind: str, value: str, rng: random.Random) -> str:
    return rng.choice((" ", "-", ".", "，", "_", "、")).join(_split(kind, value, rng))


def _said(kind: str, value: str, rng: random.Random) -> str:
    reading = rng.choice(READINGS)
    return "".join(reading.get(c, c) for c in value.replace("-", ""))


def _said_grouped(kind: str, value: str, rng: random.Random) -> str:
    reading = rng.choice(READINGS)
    glue = rng.choice((" ", "，", "，", *_FILLERS))
    parts = _split(kind, value, rng)
    return glue.join("".join(reading.get(c, c) for c in part) for part in parts)


def _typed_with_fillers(kind: str, value: str, rng: random.Random) -> str:
    return rng.choice(_FILLERS).join(_split(kind, value, rng))


def _over_turns(kind: str, value: str, rng: random.Random) -> str:
    parts = _split(kind, value, rng)
    if rng.random() < 0.5:
        reading = rng.choice(READINGS)
        parts = ["".join(reading.get(c, c) for c in part) for part in parts]
    return rng.choice(_TURNS).join(parts)


def _doubled(kind: str, value: str, rng: random.Random) -> str:
    """`888` said as 三个八, the rest digit by digit."""
    reading = rng.choice((SAID, ONE_AS_YAO))
    out, at = "", 0
    bare = value.replace("-", "")
    while at < len(bare):
        run = 1
        while run < 5 and bare[at + run : at + run + 1] == bare[at]:
            run += 1
        if run > 1 and bare[at].isdigit():
            out += f"{_TIMES[run]}个{reading[bare[at]]}"
        else:
            run = 1
            out += reading.get(bare[at], bare[at])
        at += run
    return out


def _split(kind: str, value: str, rng: random.Random) -> list[str]:
    bare = value.replace("-", "")
    sizes: Sequence[int] = ()
    if kind in _GROUPS and len(bare) != 15:
        sizes = rng.choice(_GROUPS[kind])
    elif kind == "landline":
        area = value.find("-")
        sizes = (max(area, 0), 4, 4)
    elif kind == "id_card":
        sizes = (6, 6, 3)
    elif kind == "plate":
        sizes = (2, 3)
    elif kind == "passport":
        sizes = (1, 4)
    parts, at = [], 0
    for size in sizes:
        parts.append(bare[at : at + size])
        at += size
    return [part for part in (*parts, bare[at:]) if part]


def _extension(kind: str, value: str, rng: random.Random) -> str:
    number = rng.randrange(100, 9999)
    return value + rng.choice((f"转{number}", f"-{number}", f"转分机{number}", f"分机{number}"))


def _bracketed(kind: str, value: str, rng: random.Random) -> str:
    area, _, rest = value.rpartition("-")
    return f"（{area}）{rest}" if area else rest


def _with_country(kind: str, value: str, rng: random.Random) -> str:
    return rng.choice(("+86 ", "+86", "86-", "0086")) + value


def _lower(kind: str, value: str, rng: random.Random) -> str:
    return value.lower()


def _spelt_x(kind: str, value: str, rng: random.Random) -> str:
    return _said(kind, value, rng).replace("X", rng.choice(("X", "x", "叉")))


def _email_said(kind: str, value: str, rng: random.Random) -> str:
    at = rng.choice(("艾特", " 艾特 ", "@"))
    said = value.replace("@", at).replace(".", rng.choice(("点", " 点 ")))
    return said if rng.random() < 0.5 else "".join(SAID.get(c, c) for c in said)


def _spaced_name(kind: str, value: str, rng: random.Random) -> str:
    return " ".join(value)


def _home_said(kind: str, value: str, rng: random.Random) -> str:
    """Rooms digit by digit, buildings and units as numbers."""
    out, digits = "", ""
    for char in value + " ":
        if char.isdigit():
            digits += char
            continue
        if digits:
            out += _counted(int(digits)) if int(digits) < 100 else "".join(SAID[d] for d in digits)
        out, digits = out + char, ""
    return out[:-1]


def _counted(n: int) -> str:
    tens, ones = divmod(n, 10)
    if not tens:
        return SAID[str(ones)]
    return ("" if tens == 1 else SAID[str(tens)]) + "十" + (SAID[str(ones)] if ones else "")


_NUMBER = (
    _plain, _plain, _wide, _spread, _grouped, _grouped, _said, _said, _said_grouped, _said_grouped,
    _typed_with_fillers, _over_turns, _doubled,
)  # fmt: skip
_DRESSES: dict[str, tuple[Callable[[str, str, random.Random], str], ...]] = {
    "mobile": (*_NUMBER, _with_country),
    "landline": (*_NUMBER, _extension, _bracketed),
    "id_card": (*_NUMBER, _spelt_x, _lower),
    "bank_card": _NUMBER,
    "plate": (_plain, _plain, _wide, _spread, _grouped, _said, _lower, _doubled, _said_grouped),
    "passport": (_plain, _plain, _wide, _spread, _grouped, _said, _lower),
    "email": (_plain, _plain, _wide, _email_said),
    "name": (_plain, _plain, _plain, _spaced_name),
    "home": (_plain, _plain, _wide, _home_said),
}
