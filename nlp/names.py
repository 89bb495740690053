"""Names of people after words that announce them."""

from __future__ import annotations

import re
from pathlib import Path

_WORDS_FILE = Path(__file__).with_name("data") / "not_names.txt"

_SURNAMES = (
    ""
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
    "庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟"
    "卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边"
    "辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟"
    "宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙薄伏岑习胥保和蔺肖闫付仝郗"
)
_COMPOUNDS = "欧阳司马上官诸葛东方皇甫尉迟公孙慕容令狐长孙夏侯司徒端木轩辕南宫司空宇文呼延申屠"
_COMPOUND = "|".join(f"{name[0]}[ 　]?{name[1]}" for name in re.findall("..", _COMPOUNDS))
_SURNAME = f"(?:{_COMPOUND}|[{_SURNAMES}])"
_GIVEN = "[\u4e00-\u9fff]"
_SPACE = r"[ 　]?"

# What follows a name rather than belongs to it; checked before a given name is read.
_NOT_GIVEN = (
    "(?!电话|手机|号码|身份|家住|住在|住的|地址|我是|我的|我家|我在|我们|我要|今年|现在|反映|投诉"
    "|咨询|举报|来电|联系|退休|表示|称"
    "|他家|他们|她的|在[\u4e00-\u9fff]|的|是|女士|先生|小姐|同志|师傅|年龄|性别|男|女|想|要|打"
    "|来自|就|说|你|您|这|那|和|跟|与|因"
    "|经理|老师|主任|书记|局长|师傅|医生|院长|校长|所长|队长|老板|总|某"
    "|[请花来有了不已也被把从到给去没还都才能会该为于等])"
)
_NAME = f"{_SURNAME}{_SPACE}{_NOT_GIVEN}{_GIVEN}(?:{_SPACE}{_NOT_GIVEN}{_GIVEN})?"
# Words that begin with a surname and are nobody: 张贴, 高度, 马上.
_WORDS = frozenset(_WORDS_FILE.read_text(encoding="utf-8").split())

_STRONG_CUE = (
    r"(?:我叫|我名叫|我的名字(?:是|叫)|本人姓名|姓名|名字叫|名叫|联系人|当事人|报案人|投诉人"
    r"|申请人|举报人|反映人|来电人|经办人|收货人|承租人|户主|车主|患者|法人|负责人|机主|收件人"
    r"|业主|住户|本人|我妈叫|我爸叫|我儿子叫|我女儿叫|我丈夫叫|我爱人叫|我老公叫|我老婆叫"
    r"|我妻子叫|我父亲叫|我母亲叫|孩子叫|学生叫|老板叫|他叫|她叫)"
)
_AFTER_STRONG = re.compile(rf"{_STRONG_CUE}(?:是|为|叫)?\s*[:：,，]?\s*(?P<name>{_NAME})")
_SURNAME_ONLY = re.compile(
    rf"(?:我|本人|免贵|贵|他|她|老板|机主)姓(?P<name>{_SURNAME})(?![\u4e00-\u9fff]?氏)"
)
_WITH_TITLE = re.compile(
    rf"(?:(?<![\u4e00-\u9fff])|(?<=[叫是找给和与向为由位的人])|(?<=联系)|(?<=你好)|(?<=您好))"
    rf"(?P<name>{_SURNAME}(?:(?![我你他她和与的是]){_GIVEN}){{0,2}}?)(?:先生|女士|小姐)"
)

# 「本人于…」「本人和家人」: these surnames are words first; unmarked, they need a name's end after
# them, and the second row is never read as a name at all.
_WEAK_SURNAMES = frozenset("于时成关乐明安常华文金康方万易冷游官车党付")
_NEVER_UNMARKED = frozenset("和来向原全都应计强解连保单商包房边管经台符盖")
_PLAIN_WORD_CUE = re.compile(
    r"(?:本人|负责人|患者|申请人|车主|业主|住户|户主|投诉人|举报人|反映人|来电人|当事人|联系人"
    r"|法人|经办人|承租人)$"
)
# After a word that is no announcement by itself, a name must end where a name can end.
_NAME_ENDS = re.compile(
    r"\s*(?:$|[，。,.;；:：、！!？?（()）\n“”\"]|反映|投诉|举报|来电|咨询|求助|电话|手机|身份证"
    r"|家住|住|男|女|今年|的(?:电话|手机|身份证|家|房)|称|说|表示|同志|\d)"
)
_UNMARKED_CUES = ("业主", "住户", "负责人", "法人", "车主", "户主", "患者", "本人")


def find_names(text: str) -> list[tuple[int, int]]:
    """Ranges of names in half-width `text`; may overlap where two rules agree."""
    found = [match.span("name") for match in _AFTER_STRONG.finditer(text) if _is_name(text, match)]
    found += [match.span("name") for match in _SURNAME_ONLY.finditer(text)]
    found += [match.span("name") for match in _WITH_TITLE.finditer(text)]
    return found


def _is_name(text: str, match: re.Match[str]) -> bool:
    start, end = match.span("name")
    name = match.group("name")
    if name[:2] in _WORDS:
        return False
    cue = text[match.start() : start].rstrip(" :：,，是为叫")
    marked = text[start - 1] in ":：叫" or text[match.start() : start].rstrip()[-1:] in ":："
    if marked or not _PLAIN_WORD_CUE.search(cue):
        return True
    if name[0] in _NEVER_UNMARKED:
        return False
    ends = bool(_NAME_ENDS.match(text, end))
    return ends or not (name[0] in _WEAK_SURNAMES or cue.endswith(_UNMARKED_CUES))
