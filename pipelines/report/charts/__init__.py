"""How do figures become pictures? SVG text that takes its colours from the page, so that it is readable in light, dark and print."""
