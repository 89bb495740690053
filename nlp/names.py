"""Names of people after words that announce them."""

from __future__ import annotations

import re

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
    "庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟"
    "卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边"
    "辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟"
    "宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙薄伏岑习胥保和蔺肖闫付仝郗"
)
_COMPOUND = "|".join(
    f"{name[0]}[ 　]?{name[1]}"
    for name in (
        "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 长孙 夏侯 司徒 端木 轩辕 南宫 司空 宇文 呼延 申屠".split()
    )
)
_SURNAME = f"(?:{_COMPOUND}|[{_SURNAMES}])"
_GIVEN = "[\u4e00-\u9fff]"
_SPACE = r"[ 　]?"

# What follows a name rather than belongs to it; checked before a given name is read.
_NOT_GIVEN = (
    "(?!电话|手机|号码|身份|家住|住在|住的|地址|我是|我的|我家|我在|我们|我要|今年|现在|反映|投诉|咨询|举报|来电|联系|退休|表示|称"
    "|他家|他们|她的|在[\u4e00-\u9fff]|的|是|女士|先生|小姐|同志|师傅|年龄|性别|男|女|想|要|打|来自|就|说|你|您|这|那|和|跟|与|因"
    "|经理|老师|主任|书记|局长|师傅|医生|院长|校长|所长|队长|老板|总|某|[请花来有了不已也被把从到给去没还都才能会该为于等])"
)
_NAME = f"{_SURNAME}{_SPACE}{_NOT_GIVEN}{_GIVEN}(?:{_SPACE}{_NOT_GIVEN}{_GIVEN})?"
# Words that begin with a surname and are nobody: 张贴, 高度, 马上.
_WORDS = frozenset(
    "张贴 高度 高兴 高层 高价 高空 高温 高考 高中 高速 高达 高新 高铁 马上 马路 方面 方案 方便 方式 金额 金融 金属 金水 白天 白白 白色 常常 常年 全部"
    " 全体 全家 全款 全市 全国 经常 计划 计算 于是 应该 应当 安全 安装 安置 安排 包括 包含 成立 成功 成本 成员 单位 单独 单元 平时 平台 平均 平方"
    " 连续 连夜 强烈 强制 强行 强拆 和平 和谐 关于 关心 关注 关闭 关系 温度 顾客 顾虑 商量 商户 商业 商铺 路过 路上 路边 石头 水电 车位 车辆 车库"
    " 车子 房子 房屋 房款 房租 房产 房东 房贷 黄色 黄金 江西 江苏 周边 周围 周末 周日 周一 周二 周三 周四 周五 周六 林地 林业 田地 任何 任意 任务"
    " 万一 万元 万人 程序 程度 武汉 钱款 钱财 毛病 毛坯 康复 花钱 花园 花费 申请 申报 申诉 易发 谈话 解决 解释 冷漠 柴油 游客 都是 都在 党员 党委"
    " 官员 官方 管理 管道 管网 付款 付钱 付费 付出 付清 明确 明明 明天 明显 明年 明知 何时 何况 何来 何种 施工 施行 严重 严格 严厉 曾经 曾多 章程"
    " 向上 向有 向政 向市 向社 向物 时间 时常 时候 来电 来信 原因 原来 原有 原始 原告 应付 应为 双方 本人 家属 代表 委托 姓名 不详 保护 保证 保险"
    " 保障 保安 宫颈 文化 文件 文字 华侨 项目 景区 宁可 宁愿 甘愿 柳州 苏州 郑州 杭州 广州 徐州 沈阳 洛阳 余款 余额 余下 左右 古城 古建 沙石 牛羊"
    " 乐意 陶瓷 莫名 易地 易燃 苗木 费用 费尽 祖籍 甄别 游泳 景观 盛大 巩固 屈服 童年 童装 席位 查询 查看 查处 边上 边缘 池塘 米面 都市 木材 木工"
    " 冀望 屠宰 商品 商家 商场 揭发 揭露 敖包 糜烂 卓越 花卉 蓝天 蓝色 练习 仲裁 乐器 乐园 封闭 封路 封条 原地 原价 衣服 楚天 匡正 宗旨 应急 应届"
    " 台湾 银行 银监 扬言 扬尘 明白 沙子 薄弱 保姆 保洁 和好 和睦 和解 段时 段路 管辖 管委 成年 成交 成熟 游戏 党政 党组 符合 祝您 祝愿 于上 于今 于去 于昨 于前 于本 于当 于近 于某 于一 于二 于三 于四 于五 于六 于七 于八 于九 于十 于年 左转 左侧"
    " 戴口 万物 万科 万达 雷雨 易碎 武警 武装 常务 常住 常德 温馨 温泉 单车 单价 单方 尤其 鲁莽 牛奶 纪委 纪律 纪检 项链 卫生 卫健 席间 古树 甘肃"
    " 阮囊 支付 强调 强迫 解约 解除 解聘 水费 水管 水务 房管 房价 房源 房本 房门 房间 路灯 路面 路口 路段 路人 石材 车费 车牌 车主 车间 车道 车上".split()
)

_STRONG_CUE = (
    r"(?:我叫|我名叫|我的名字(?:是|叫)|本人姓名|姓名|名字叫|名叫|联系人|当事人|报案人|投诉人|申请人|举报人|反映人|来电人|经办人|收货人|承租人|户主|车主|患者|法人|负责人|机主|收件人"
    r"|业主|住户|本人|我妈叫|我爸叫|我儿子叫|我女儿叫|我丈夫叫|我爱人叫|我老公叫|我老婆叫|我妻子叫|我父亲叫|我母亲叫|孩子叫|学生叫|老板叫|他叫|她叫)"
)
_AFTER_STRONG = re.compile(rf"{_STRONG_CUE}(?:是|为|叫)?\s*[:：,，]?\s*(?P<name>{_NAME})")
_SURNAME_ONLY = re.compile(
    rf"(?:我|本人|免贵|贵|他|她|老板|机主)姓(?P<name>{_SURNAME})(?![\u4e00-\u9fff]?氏)"
)
_WITH_TITLE = re.compile(
    rf"(?:(?<![\u4e00-\u9fff])|(?<=[叫是找给和与向为由位的人])|(?<=联系)|(?<=你好)|(?<=您好))"
    rf"(?P<name>{_SURNAME}{_GIVEN}{{0,2}}?)(?:先生|女士|小姐)"
)

# 「本人于…」「本人和家人」: these surnames are words first; unmarked, they need a name's end after
# them, and the second row is never read as a name at all.
_WEAK_SURNAMES = frozenset("于时成关乐明安常华文金康方万易冷游官车党付")
_NEVER_UNMARKED = frozenset("和来向原全都应计强解连保单商包房边管经台符盖")
_PLAIN_WORD_CUE = re.compile(
    r"(?:本人|负责人|患者|申请人|车主|业主|住户|户主|投诉人|举报人|反映人|来电人|当事人|联系人|法人|经办人|承租人)$"
)
# After a word that is no announcement by itself, a name must end where a name can end.
_NAME_ENDS = re.compile(
    r"\s*(?:$|[，。,.;；:：、！!？?（()）\n“”\"]|反映|投诉|举报|来电|咨询|求助|电话|手机|身份证|家住|住|男|女|今年|的(?:电话|手机|身份证|家|房)|称|说|表示|同志|\d)"
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
