"""Exact home numbers: building, unit and room of somebody's flat.

A building or a unit alone stays, since a broken lift or a bin stands there for everybody; it is
the room that points at a person. Rooms of offices, shops and wards are no homes.
"""

from __future__ import annotations

import re

_NUM = "(?:[0-9]{1,4}|[零〇一二三四五六七八九十百两幺]{1,5})"
_LETTER = "(?<![A-Za-z])[A-Za-z]"
_SEP = "[ \\-—,，、第的]{0,2}(?:嗯|呃|啊|那个|就是)?[ ,，]{0,1}"
_BUILDING_WORD = rf"(?:号楼|栋|幢|座|#楼|#|楼(?=[ ]?{_NUM}[ ]?单元))"
_BUILDING = (
    rf"(?:(?:{_NUM}|{_LETTER})[ ]?(?:号院|号)?(?:[ ]?(?:{_NUM}[ ]?)?{_BUILDING_WORD})"
    "|[东西南北][楼栋])"
)
_UNIT = rf"(?:(?:{_NUM}|[甲乙丙丁东西中])[ ]?(?:单元|#单元|号门|门洞))"
_FLOOR = rf"(?:{_NUM}[ ]?[楼层])"
_DOOR = "(?:[东西南北中左右]边?[户门手])"
# Three or four digits, or a number that is called a room; a count of anything is none.
_ROOM = (
    rf"(?:{_NUM}[ ]?(?:号房|房间|室|房(?!子))|[0-9]{{3,4}}号(?![楼院线栋])"
    rf"|(?:(?<![0-9])[0-9]{{3,4}}|[零〇幺一二三四五六七八九]{{3,4}}"
    rf"|十[一二三四五六七八九]?[零〇][幺一二三四五六七八九])(?![0-9]"
    rf"|[ ]?[多余来]?[户人平元个米天年月日块家套米分点万千百十楼层栋号路]))"
)
_INSIDE = rf"(?:{_FLOOR}{_SEP})?(?:{_ROOM}|{_DOOR})"
_FLAT = re.compile(
    rf"(?:{_BUILDING}{_SEP}{_UNIT}{_SEP}{_INSIDE}|{_UNIT}{_SEP}{_INSIDE}"
    rf"|{_BUILDING}{_SEP}{_INSIDE})"
    rf"(?:室|房间|号房?(?![楼院线栋]))?"
)
_DASHED = re.compile(
    r"(?<![0-9\-/.#])(?:[0-9]{1,2}|[A-Za-z])[#栋]?[-—–][0-9]{1,2}[-—–][0-9]{3,4}(?:室|户"
    r"|号)?(?![0-9\-/.])"
)
_HOME_CUE = re.compile(
    r"(?:家住|住在|我住|我家|居住|地址|小区|花园|家园|[苑园城府庭邸]|家属院|新村|业主|邻居|隔壁"
    r"|房号|住址)[^0-9。！？]{0,6}$"
)
_NO_HOME = re.compile(
    r"(?:大厦|广场|写字楼|商务|中心|商场|公司|办公|政务|大楼|酒店|宾馆|医院|住院|病房|学校|教学"
    r"|教室|宿舍|市场|商铺|门面|法院|法庭|局|厅)[^。！？，]{0,4}$"
)
_ROOM_ALONE = re.compile(
    r"(?:我家|家住|(?<!入)住在?|邻居|隔壁|楼上|楼下|房号)(?:就?是|在|的|：|:)?(?P<room>[0-9]{3,4})"
    r"(?:室|户(?!居民)|房(?!子)|号房|的(?:住户|业主|邻居|人家?)|住户|业主|装修|漏水|家(?!庭))"
)


def find_homes(text: str) -> list[tuple[int, int]]:
    """Ranges of home numbers in half-width `text`."""
    found = [
        match.span()
        for match in _FLAT.finditer(text)
        if not _NO_HOME.search(text, max(0, match.start() - 12), match.start())
    ]
    for match in _DASHED.finditer(text):
        if _HOME_CUE.search(text, max(0, match.start() - 14), match.start()):
            found.append(match.span())
    found += [match.span("room") for match in _ROOM_ALONE.finditer(text)]
    return found
