"""Generated sentences with and without personal data, in the forms people write and say."""

from __future__ import annotations

import random
from dataclasses import dataclass

from xiaozheng.nlp.checksums import id_check_character, passes_luhn

SPOKEN = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))
PLAIN_CHINESE = dict(zip("0123456789", "〇一二三四五六七八九", strict=True))
FULL_WIDTH = {chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)}
PROVINCES = "豫京冀鲁晋陕皖鄂苏浙沪津"


@dataclass(frozen=True)
class Sample:
    """A sentence, the kind in it (empty for none) and the secret as written."""

    text: str
    kind: str
    secret: str


def mobile(rng: random.Random) -> str:
    return f"1{rng.choice('3456789')}{rng.randrange(10**9):09d}"


def landline(rng: random.Random) -> str:
    area = rng.choice(["0371", "010", "021", "0378"])
    return f"{area}{rng.choice('5678')}{rng.randrange(10**7):07d}"


def id_card(rng: random.Random) -> str:
    born = f"{rng.randrange(1940, 2015)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
    first = f"{rng.choice(['410105', '410122', '130203', '320581'])}{born}{rng.randrange(1000):03d}"
    return first + id_check_character(first)


def bank_card(rng: random.Random) -> str:
    body = f"62{rng.randrange(10**16):016d}"
    return next(body + d for d in "0123456789" if passes_luhn(body + d))


def plate(rng: random.Random) -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    head = rng.choice(PROVINCES) + rng.choice("ABCDEFGHJ")
    if rng.random() < 0.3:
        return head + rng.choice("DF") + f"{rng.randrange(10**5):05d}"
    tail = [rng.choice("0123456789") for _ in range(5)]
    if rng.random() < 0.5:
        tail[rng.randrange(5)] = rng.choice(letters)
    return head + "".join(tail)


def email(rng: random.Random) -> str:
    user = "".join(rng.choice("abcdefghijkmnpqrstuvwxyz") for _ in range(rng.randrange(3, 9)))
    return f"{user}{rng.randrange(1000)}@{rng.choice(['163.com', 'qq.com', 'sina.com.cn'])}"


def passport(rng: random.Random) -> str:
    return f"{rng.choice(['E', 'G', 'EA', 'EB'])}{rng.randrange(10**8):08d}"[:9]


MAKERS = {
    "mobile": mobile,
    "landline": landline,
    "id_card": id_card,
    "bank_card": bank_card,
    "plate": plate,
    "email": email,
    "passport": passport,
}
FRAMES = {
    "mobile": ["我的手机号是{}，麻烦回电", "打{}找我", "{}这个号联系我就行", "电话：{}。"],
    "landline": ["办公室电话{}没人接", "座机是{}，谢谢", "我打了{}好几次"],
    "id_card": ["身份证号{}", "我的身份证是{}你查一下", "证件号码：{}，办不了"],
    "bank_card": ["卡号是{}，钱没到", "打到{}这张银行卡上", "银行卡{}被冻结了"],
    "plate": ["车牌{}天天停在门口", "那辆{}把路堵了", "我的车是{}被贴条了"],
    "email": ["发到我邮箱{}", "邮箱是{}，请回复"],
    "passport": ["护照号{}", "我的护照是{}，丢了"],
}


def written_forms(kind: str, value: str, rng: random.Random) -> list[str]:
    """The value as typed, full-width, grouped, dotted and spoken."""
    forms = [value, "".join(FULL_WIDTH.get(c, c) for c in value)]
    groups = {"mobile": (3, 4, 4), "bank_card": (4, 4, 4, 4, 3), "id_card": (6, 8, 4)}.get(kind)
    if groups:
        forms += [sep.join(_grouped(value, groups)) for sep in (" ", "-", "，")]
    if kind == "landline":
        area = 3 if value[:2] in ("01", "02") else 4
        forms += [f"{value[:area]}-{value[area:]}", f"（{value[:area]}）{value[area:]}"]
    if kind in ("mobile", "landline", "bank_card", "id_card"):
        forms += [
            " ".join(value),
            ".".join(value),
            _said(value, SPOKEN),
            _said(value, PLAIN_CHINESE),
        ]
    if kind in ("mobile", "id_card") and groups:
        spoken = [_said(part, SPOKEN) for part in _grouped(value, groups)]
        forms += ["，".join(spoken), " ".join(spoken), "嗯".join(spoken)]
    if kind == "plate":
        forms += [" ".join(value), value[:2] + "·" + value[2:], value.lower()]
        forms += [value[:2] + _said(value[2:], SPOKEN)]
    if kind == "email":
        forms += [value.replace("@", "艾特").replace(".", "点")]
    return forms


def _grouped(value: str, sizes: tuple[int, ...]) -> list[str]:
    parts, at = [], 0
    for size in sizes:
        parts.append(value[at : at + size])
        at += size
    return parts


def _said(value: str, digits: dict[str, str]) -> str:
    return "".join(digits.get(c, c) for c in value)


NAME_FRAMES = [
    "我叫{}，住在金水区",
    "联系人：{}，电话稍后补",
    "我姓名是{}",
    "本人{}，反映一下情况",
    "名字叫{}",
]
SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林郑"
GIVEN = ["伟", "秀英", "敏", "建国", "丽娟", "志强", "海燕", "桂兰", "磊", "晓梅", "玉珍", "浩然"]

CLEAN_FRAMES = [
    "房子{a}平方，一共{b}元，首付{c}万",
    "{y}年{m}月{d}日下午{h}点{n}分报的案",
    "{y}-{m:02d}-{d:02d} {h}:{n:02d} 就停水了",
    "一期{a}户，二期{b}户，到现在只有{c}户入住",
    "工单号{y}{m:02d}{d:02d}{b}已经三个月没有回复",
    "我打了12345和12315，还有{h}次110",
    "{h}号楼{n}单元有{a}户，物业费每平方{d}.{n:02d}元",
    "拖欠{b}.{n:02d}元，一共{h}个人",
    "坐B{h}路转{n}路，等了{a}分钟",
    "第{m}条第{d}款规定的比例是{n}.{h}%",
    "海拔{a}米，坐标34.{b}，113.{c}",
    "统一社会信用代码91410100MA{b}K7{n:02d}",
    "一二三四五六七楼都没有水，八九十楼有",
    "三百六十五天有两百天在堵，一千二百户居民受影响",
    "快递单号SF{y}{b}{c}丢了",
    "分别是{a}、{b}、{c}、{d}、{n}这几户",
    "于{y}年在关虎屯小区交了{b}元",
    "本人和家人于{y}年购房，方案一直没有公布",
    "客服电话4006{n:02d}{a}打不通",
    "负责人说{m}月给答复，联系人一直不在",
]


def with_secrets(n: int, seed: int) -> list[Sample]:
    """`n` sentences, each with one secret; kinds and forms take turns."""
    rng = random.Random(seed)
    samples: list[Sample] = []
    while len(samples) < n:
        for kind, maker in MAKERS.items():
            value = maker(rng)
            for form in written_forms(kind, value, rng):
                frame = rng.choice(FRAMES[kind])
                samples.append(Sample(frame.format(form), kind, form))
        name = rng.choice(SURNAMES) + rng.choice(GIVEN)
        samples.append(Sample(rng.choice(NAME_FRAMES).format(name), "name", name))
    return samples[:n]


def without_secrets(n: int, seed: int) -> list[str]:
    """`n` sentences full of ordinary numbers."""
    rng = random.Random(seed)
    return [
        rng.choice(CLEAN_FRAMES).format(
            a=rng.randrange(80, 999),
            b=rng.randrange(1000, 99999),
            c=rng.randrange(10, 999),
            y=rng.randrange(1998, 2026),
            m=rng.randrange(1, 13),
            d=rng.randrange(1, 29),
            h=rng.randrange(1, 24),
            n=rng.randrange(0, 60),
        )
        for _ in range(n)
    ]
