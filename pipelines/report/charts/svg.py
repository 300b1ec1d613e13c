"""Which strokes is every drawing made of? They carry classes; the style sheet gives them colour, width and font."""

from __future__ import annotations

from pipelines.report.markup import Content, Markup, safe, tag


def drawing(width: float, height: float, title: str, *content: Content, kind: str = "chart") -> Markup:
    """A drawing that says in words, for those who cannot see it and as its tooltip, what it shows."""
    about = {"viewBox": f"0 0 {width:g} {height:g}", "class": kind, "role": "img", "aria-label": safe(title)}
    if kind == "strip":  # a drawing in a cell keeps its size
        about |= {"width": f"{width:g}", "height": f"{height:g}"}
    return tag("svg", about, tag("title", None, safe(title)), *content)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return tag("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": kind})


def dot(x: float, y: float, radius: float, kind: str, title: str | None = None) -> Markup:
    about = {"cx": x, "cy": y, "r": f"{radius:g}", "class": kind}
    return tag("circle", about, tag("title", None, safe(title))) if title else tag("circle", about)


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> Markup:
    return tag("text", {"x": x, "y": y, "class": kind, "text-anchor": anchor}, safe(words))


def path(points: list[tuple[float, float]], kind: str, title: str | None = None) -> Markup:
    about = {"points": " ".join(f"{x:g},{y:g}" for x, y in points), "class": kind}
    return tag("polyline", about, tag("title", None, safe(title))) if title else tag("polyline", about)
