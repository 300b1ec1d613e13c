"""How does the page look, in light, in dark, on a phone and on paper? One style sheet; drawings take their colours from it."""

from __future__ import annotations

import base64
import hashlib

# Blue and vermilion of Okabe and Ito 2008 stay apart without colour vision; grey is everything else.
LIGHT = """--paper:#fff;--ink:#1b1f24;--soft:#59636e;--rule:#d1d9e0;--pale:#f3f5f7;--grid:#e6e9ec;--rest:#b3bac2;
--a:#0072b2;--b:#c44e00;--c:#00795a;--good:#00795a;--bad:#c44e00"""
DARK = """--paper:#14181d;--ink:#e6eaef;--soft:#9aa5b1;--rule:#39424d;--pale:#1d232a;--grid:#2b323b;--rest:#586472;
--a:#5ab4ee;--b:#ff9352;--c:#3fc79d;--good:#3fc79d;--bad:#ff9352"""
FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
SHADES = 5  # of an attribution's colour, in either direction

PAGE = """
*{box-sizing:border-box}
html{font:16px/1.5 FONT;color:var(--ink);background:var(--paper);-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:1200px;padding:1.5rem 1.25rem 4rem}
h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0 .3rem}
h2{font-size:1.5rem;margin:3rem 0 .4rem;padding-top:.9rem;border-top:3px solid var(--ink)}
h3{font-size:1.12rem;margin:2.2rem 0 .4rem}
h4{font-size:.95rem;margin:1.2rem 0 .2rem}
h1,h2,h3,h4{overflow-wrap:anywhere}
p{margin:.35rem 0;max-width:46rem;overflow-wrap:anywhere}
a{color:var(--a)}
nav{font-size:.9rem;margin:.8rem 0}
nav a{margin-right:1rem;display:inline-block}
.soft,.from,.lacking,.note{color:var(--soft)}
.from{font-size:.74rem;margin-top:.5rem;max-width:none}
.note{font-size:.86rem}
.lacking{font-size:.92rem}
.facts{display:flex;flex-wrap:wrap;gap:.4rem 1.8rem;margin:.8rem 0 0;padding:0}
.facts div{display:flex;flex-direction:column-reverse}
.facts dt{font-size:.78rem;color:var(--soft)}
.facts dd{margin:0;font-size:1.3rem;font-weight:600;line-height:1.25;font-variant-numeric:tabular-nums}
.verdict{border-left:5px solid var(--soft);background:var(--pale);padding:.8rem 1.1rem;margin:.5rem 0 .9rem;max-width:56rem}
.verdict p{font-size:1.02rem;max-width:none}
.verdict .word{font-size:1.3rem;font-weight:650;line-height:1.3;margin-top:0}
.verdict.good{border-color:var(--good)}
.verdict.bad{border-color:var(--bad)}
.scroll{overflow-x:auto;margin:.6rem 0;max-width:100%}
table{border-collapse:collapse;font-size:.82rem;font-variant-numeric:tabular-nums}
caption{caption-side:top;text-align:left;color:var(--soft);font-size:.84rem;padding:.1rem 0 .3rem}
caption span{display:block;position:sticky;left:0;max-width:min(52rem,calc(100vw - 2.5rem))}
th,td{text-align:left;padding:.16rem .8rem .16rem 0;border-bottom:1px solid var(--grid);vertical-align:middle;white-space:nowrap}
thead th{white-space:normal;vertical-align:bottom;font-weight:600;border-bottom:1px solid var(--soft)}
tbody th{font-weight:500}
.num{text-align:right}
.plot{padding:0 .9rem 0 0;line-height:0}
.under{display:block;font-size:.76rem;line-height:1.2}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--a);font-size:.88rem}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:.9rem 1rem;margin:.6rem 0}
figure{margin:.6rem 0}
figcaption{font-size:.84rem;color:var(--soft);max-width:52rem}
.beside{display:flex;flex-wrap:wrap;gap:.2rem 1.6rem;align-items:flex-start}
.beside>figure{flex:0 1 330px;min-width:240px}.beside>.scroll{flex:1 1 420px;min-width:0}
.key{font-size:.86rem;margin:.4rem 0}
.key span{margin-right:1.2rem;display:inline-block}
.key i{display:inline-block;width:.72rem;height:.72rem;border-radius:50%;margin-right:.4rem;vertical-align:-.06rem}
.key i.bar{height:.25rem;border-radius:0;vertical-align:.2rem;width:1.1rem}
i.a{background:var(--a)}i.b{background:var(--b)}i.c{background:var(--c)}i.rest{background:var(--rest)}
i.hollow{border:2px solid var(--soft)}
svg{overflow:visible;font-family:FONT}
svg.chart{width:100%;height:auto;max-width:300px;display:block}
svg.chart.large{max-width:420px}
svg.chart.wide{max-width:none;width:760px}
svg.strip{display:block}
svg text{fill:var(--ink);font-size:11px}
svg .tick,svg .axis{fill:var(--soft);font-size:10px;font-weight:400}
svg .name{font-weight:600;font-size:11.5px}
svg .end{font-size:10.5px;font-weight:600}
svg .end.a{fill:var(--a)}svg .end.b{fill:var(--b)}svg .end.c{fill:var(--c)}
.grid{stroke:var(--grid);stroke-width:1}
.mark{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:4 3}
.span{stroke:var(--a);stroke-width:1.5;stroke-opacity:.6}
.half{stroke:var(--a);stroke-width:8;stroke-opacity:.4}
.median{stroke:var(--ink);stroke-width:2}
.curve{fill:none;stroke-width:1.8}
.curve.rest{stroke-width:1}
.interval{stroke-width:2.4;stroke-opacity:.5}
.interval.thin{stroke:var(--a);stroke-width:1;stroke-opacity:.35}
.a.curve,.a.interval{stroke:var(--a)}.b.curve,.b.interval{stroke:var(--b)}.c.curve,.c.interval{stroke:var(--c)}
.rest.curve,.rest.interval{stroke:var(--rest)}
.dot.a{fill:var(--a)}.dot.b{fill:var(--b)}.dot.c{fill:var(--c)}.dot.rest{fill:var(--rest)}
.dot.many{fill-opacity:.65}
.dot.hollow{fill:var(--paper);stroke:var(--soft);stroke-width:1.6}
.flag{color:var(--bad);font-weight:600}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:1.1rem;margin:.8rem 0}
.card{border:1px solid var(--rule);border-radius:6px;padding:.7rem .8rem;margin:0;min-width:0;break-inside:avoid}
.card h4{margin:0 0 .3rem}
.card p{font-size:.86rem;margin:.15rem 0}
.card .text{font-size:.95rem;line-height:1.75;margin:.2rem 0 .5rem}
.card .soft{font-size:.78rem}
.card svg.chart{max-width:none}
.card svg text{font-size:9.5px;fill:var(--soft)}
.pixels{image-rendering:pixelated}
.frame{fill:var(--pale);stroke:var(--rule);stroke-dasharray:3 3}
li{font-size:.86rem;overflow-wrap:anywhere;max-width:56rem}
ol,ul{margin:.3rem 0;padding-left:1.4rem}
.text span,.text mark,.text del{display:inline-block;max-width:100%;line-height:1.35;padding:.08rem .16rem;border-radius:3px}
mark{background:none;color:inherit;border:2px solid var(--b);font-weight:600}
del{border:2px dotted var(--b)}
WORDS
@media (max-width:600px){
 body{padding:1rem .8rem 3rem}
 h1{font-size:1.5rem}h2{font-size:1.3rem}
 .facts{gap:.4rem 1.3rem}.facts dd{font-size:1.1rem}
 .panels{grid-template-columns:repeat(2,minmax(0,1fr));gap:.4rem}
}
@media print{
 body{max-width:none;padding:0}
 nav,summary{display:none}
 h2{break-before:page}h3,figcaption{break-after:avoid}
 figure,table,.verdict,svg{break-inside:avoid}
 *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""


def style_sheet() -> str:
    """The text of the page's one style element."""
    rules = f":root{{color-scheme:light dark;{LIGHT}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{DARK}}}}}\n{PAGE}"
    return rules.replace("WORDS", _words()).replace("FONT", FONT)


def policy(sheet: str) -> str:
    """What a browser may do with the page: show this style sheet and pictures that stand in it; no script, no address, no form."""
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _words() -> str:
    """A background per shade of attribution: for the answer (p) and against it (n), over any paper."""
    shares = [round(14 + 50 * (shade - 1) / (SHADES - 1)) for shade in range(1, SHADES + 1)]
    return "\n".join(
        f".{way}{shade}{{background:color-mix(in srgb,var(--{colour}) {share}%,transparent)}}"
        for way, colour in (("p", "a"), ("n", "b"))
        for shade, share in zip(range(1, SHADES + 1), shares, strict=True)
    )
