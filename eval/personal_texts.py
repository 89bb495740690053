"""Sentences round made-up personal data, and sentences full of ordinary numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from .personal_strings import MAKERS, dressed

FRAMES = {
    "mobile": (
        "我的手机号是{}，麻烦回电", "打{}找我", "{}这个号联系我就行", "电话：{}。", "您记一下{}",
        "微信同号{}", "给我回个电话吧 {} 谢谢", "联系方式 {}", "我报一下啊{}",
    ),
    "landline": (
        "家里座机是{}，谢谢", "打{}没人接", "电话：{}。", "固定电话{}", "联系电话{}，白天在家",
    ),
    "id_card": (
        "身份证号{}", "我的身份证是{}你查一下", "证件号码：{}，办不了",
        "身份证号码是{}，麻烦核实", "身份证{}",
    ),
    "bank_card": (
        "卡号是{}，钱没到", "打到{}这张银行卡上", "银行卡{}被冻结了", "工资卡号：{}",
        "银行卡号{}开户行工商银行",
    ),
    "plate": (
        "车牌{}天天停在门口", "那辆{}把路堵了", "我的车是{}，被贴条了", "车牌号：{}",
        "一辆{}的白色轿车",
    ),
    "passport": ("护照号{}", "我的护照是{}，丢了", "护照号码：{}"),
    "email": ("发到我邮箱{}", "邮箱是{}，请回复", "E-mail：{}", "邮箱 {} 谢谢"),
    "name": (
        "我叫{}，住在金水区", "联系人：{}，白天在家", "姓名：{}", "我的名字叫{}", "业主{}反映漏水",
        "我是业主{}，家里停水", "投诉人：{}", "户主是{}", "申请人{}，退休职工", "我爱人叫{}",
    ),
    "home": (
        "我家住阳光花园{}，漏水", "住在锦绣苑{}，没暖气", "地址是纬五路家属院{}",
        "金桂小区{}的业主",
        "邻居{}半夜装修", "世纪佳园{}。", "帝湖花园{}停电了",
    ),
}  # fmt: skip
ORDINARY = (
    "房子{a}平方，一共{b}元，首付{c}万", "{y}年{m}月{d}日下午{h}点{n}分报的案",
    "{y}-{m:02d}-{d:02d} {h}:{n:02d} 就停水了", "一期{a}户，二期{b}户，到现在只有{c}户入住",
    "工单号{y}{m:02d}{d:02d}{b}已经三个月没有回复", "我打了12345和12315，还有{h}次110",
    "物业费每平方{d}.{n:02d}元，{m}号楼的电梯坏了{d}天", "拖欠{b}.{n:02d}元，一共{h}个人",
    "坐B{h}路转{n}路，等了{a}分钟", "第{m}条第{d}款规定的比例是{n}.{h}%",
    "坐标34.{b}，113.{c}，海拔{a}米", "统一社会信用代码91410100MA{e}K7{n:02d}",
    "一二三四五六七楼都没有水，八九十楼有", "三百六十五天有两百天在堵，一千二百户居民受影响",
    "快递单号SF{y}{e}{c}丢了", "分别是{a}、{b}、{c}、{d}、{n}这几户",
    "于{y}年在关虎屯小区交了{b}元",
    "本人和家人于{y}年购房，方案一直没有公布", "客服电话400{a:03d}{y}打不通", "负责人说{m}月给答复",
    "豫政〔{y}〕{n}号文件第{m}页", "郑房预售字第{y}{b}号预售证", "股票代码600{a}跌了百分之{n}",
    "业主群里{a}人，业主委员会没有成立", "业主们都反对，业主代表去了{m}次",
    "联系人一直不在，联系电话打不通",
    "{m}号楼{d}单元的电梯坏了{h}天", "经三路{a}号门口有人摆摊",
    "花园路{n}号院{m}号楼前面的路灯坏了",
    "{h}路公交车从{m}点等到{d}点", "打95598和96{a}都没人管", "身份证办了{m}个月还没下来",
    "银行卡被冻结了{d}天，里面有{b}块钱", "车牌一直没上，临牌过期{d}天", "我姓什么你不用管",
    "我叫了{m}次物业", "老板叫我们{d}点上班", "我是业主，我们小区{a}户",
    "负责人和物业经理都不接电话",
    "合同编号ZZ-{y}-{b}-{n:02d}", "税号和发票号{e}{n:02d}对不上", "水表读数从{b}到{a}",
    "邮编450000，坐{n}路到火车站", "{y}届{m}班有{n}个学生", "补偿标准{b}元每亩，共{c}.{n:02d}亩",
    "从{h}:{n:02d}吵到{d}:{n:02d}", "户主要带什么材料", "当事人双方都同意调解",
    "车主和交警都在现场",
    "5G基站离我们楼{n}米", "地铁{m}号线{d}号口出来往北{a}米", "{a}路{m}路{n}路都绕行了",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """A sentence; `kind` and the half-open range of the secret in it, or no kind."""

    text: str
    kind: str = ""
    start: int = 0
    end: int = 0


def secrets_of(n: int, rng: random.Random) -> Iterator[Sample]:
    """`n` sentences with one secret each; kinds take turns."""
    kinds = list(MAKERS)
    for at in range(n):
        kind = kinds[at % len(kinds)]
        value = dressed(kind, rng.choice(MAKERS[kind])(rng), rng)
        before, _, after = rng.choice(FRAMES[kind]).partition("{}")
        if rng.random() < 0.3:
            before = f"{ordinary_text(rng)}，{before}"
        if rng.random() < 0.2:
            after = f"{after}，{ordinary_text(rng)}"
        yield Sample(before + value + after, kind, len(before), len(before) + len(value))


def ordinary_text(rng: random.Random) -> str:
    """A sentence whose numbers and words are nobody's data."""
    return rng.choice(ORDINARY).format(
        a=rng.randrange(80, 999),
        b=rng.randrange(1000, 99999),
        c=rng.randrange(10, 999),
        d=rng.randrange(1, 29),
        e=rng.randrange(10000, 99999),
        h=rng.randrange(1, 24),
        m=rng.randrange(1, 13),
        n=rng.randrange(10, 60),
        y=rng.randrange(1998, 2027),
    )
