"""Double Metaphone (Lawrence Philips, 2000): how an English word sounds, and how else it may sound.

The algorithm as a table: at each letter the first rule that fits speaks and takes its letters away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SLAVIC = re.compile("[wk]|cz")  # or Germanic: other rules hold in such words
_SILENT_START = re.compile("gn|kn|pn|wr|ps")


@dataclass(frozen=True, slots=True)
class _Rule:
    """What some letters become in the neighbourhood that the pattern asks for."""

    pattern: re.Pattern[str]
    first: str
    second: str
    slavic: bool | None  # holds only in such words (True), only in others (False), in all (None)


def _rule(line: str) -> _Rule:
    """`pattern first second`: no second: the same; `-`: silent; `+` before: Slavic, `!`: not Slavic."""
    pattern, *codes = line.split()
    slavic = {"+": True, "!": False}.get(pattern[0])
    first, second = (code.replace("-", "") for code in (*codes, *codes)[:2])
    return _Rule(re.compile(pattern if slavic is None else pattern[1:]), first, second, slavic)


# `0` is the sound of "th", `X` that of "sh", `A` any vowel at the start.
_TABLE = r"""
aeiouy:
^[aeiouy] A
[aeiouy] -
b:
bb? P
c:
(?<=[^aeiouy]a)ch(?!i|e)|(?<=[bm]a)ch(?=er) K
^c(?=aesar) S
ch(?=ia) K
(?<=.)ch(?=ae) K X
^ch(?=arac|aris|or(?!e)|ym|ia|em) K
(?<=^s)ch|(?<=or)ch(?=es|id)|(?<=ar)ch(?=it)|ch(?=[ts]) K
(?:^|(?<=[aoue]))ch(?=[lrnmbhfvw]|$) K
^ch X
(?<=^mc)ch|(?<=^mac)ch K
ch X K
(?<!wi)cz S X
cc(?=ia) X
(?<=^a)cc(?=[ie]|h(?!u)) KS
(?<=u)cc(?=ee|es) KS
(?<!^m)cc(?=[ie]|h(?!u)) X
(?<!^m)cc|c[kgq] K
c(?=i[oea]) S X
c(?=[iey]) S
c(?:c(?![ei])|q)? K
d:
dg[iey] J
dg TK
d[dt]? T
f:
ff? F
g:
(?<=[^aeiouy])gh K
^gh(?=i) J
^gh K
(?:(?<=[bhd].)|(?<=[bhd]..)|(?<=[bh]...))gh -
(?<=[cglrt].u)gh F
(?<=[^i])gh K
gh -
!(?<=^[aeiouy])gn KN N
!gn(?!ey) N KN
gn KN
!gl(?=i) KL L
^g(?=y|e[spblyir]|i[blne]) K J
(?<!^dan)(?<!^ran)(?<!^man)(?<![ei])g(?=er) K J
(?<![eiro])gy K J
g(?=et) K
g[eiy](?<=ier)|g(?=ier$) J
g(?=[eiy])|(?<=[ao])gg(?=i) J K
gg? K
h:
(?:^|(?<=[aeiouy]))h(?=[aeiouy]) H
h -
j:
^j(?=ose$) H
^j(?=ose) J H
j(?=ose) J H
^j J A
!(?<=[aeiouy])j(?=[ao]) J H
jj?$ J -
(?<![skl])jj?(?![ltksnmbz]) J
jj? -
k:
kk? K
l:
(?<=i)ll(?=[oa]$)|(?<=a)ll(?=e$|e.*(?:[ao]s|[ao])$) L -
ll? L
m:
(?<=u)mb(?=$|er) M
mm? M
n:
nn? N
p:
ph F
p[pb]? P
q:
qq? K
r:
!(?<!me)(?<!ma)(?<=ie)rr?$ - R
rr? R
s:
(?<=[iy])s(?=l) -
^s(?=ugar) X S
sh(?=eim|oek|olm|olz) S
sh X
!si(?=[oa]) S X
+si(?=[oa]) S
^s(?=[mnlw]) S X
sz S X
sch(?=e[rn]) X SK
sch(?=oo|uy|e[dm]) SK
^sch(?![aeiouyw]) X S
sch X
sc[iey] S
sc SK
(?:(?<=ai)|(?<=oi))s$ - S
ss? S
t:
ti(?=on|a) X
tch X
th(?=om|am)|(?<=^sch.)th T
tth? T
th 0 T
t[td]? T
v:
vv? F
w:
wr R
^w(?=[aeiouy]) A F
^wh A
(?<=[aeiouy])w$|(?<=[eo])w(?=sk[iy]) - F
wi[ct]z TS FX
(?<=^sch)w - F
w -
x:
^x S
(?:(?<=[ie]au)|(?<=[ao]u))x$ -
x[cx]? KS
z:
zh J
zz(?=[oia]) S TS
+(?<=[^t])zz? S TS
zz? S
"""


def _read(table: str) -> dict[str, list[_Rule]]:
    """The rules of each letter, in order."""
    rules: dict[str, list[_Rule]] = {}
    block: list[_Rule] = []
    for line in table.split("\n")[1:-1]:
        if line.endswith(":"):
            block = []
            rules |= dict.fromkeys(line.removesuffix(":"), block)
        else:
            block.append(_rule(line))
    return rules


_RULES = _read(_TABLE)


def double_metaphone(word: str) -> tuple[str, str]:
    """The likelier and the other code of a word in small Latin letters; the same twice for most.

    Digits and whatever else stands between the letters stay as they are.
    """
    slavic = bool(_SLAVIC.search(word))
    first = second = ""
    place = 1 if _SILENT_START.match(word) else 0
    while place < len(word):
        for rule in _RULES.get(word[place], ()):
            hit = rule.pattern.match(word, place) if rule.slavic in (None, slavic) else None
            if hit:
                first, second, place = first + rule.first, second + rule.second, hit.end()
                break
        else:
            first, second, place = first + word[place], second + word[place], place + 1
    return first, second
