"""Does anything secret stand in a text that will be stored or shown?"""

from __future__ import annotations

import re

SECRET_KEY = re.compile(r'("[^"]*(?:password|passwd|secret|token|credential|access_key|api_key)[^"]*"\s*:\s*)"[^"]*"', re.IGNORECASE)
URL_LOGIN = re.compile(r"(\w+://)[^/\s:@\"]+:[^/\s@\"]+@")


def redacted(text: str) -> str:
    """The text with values of secret-looking JSON keys and logins in URLs replaced by ***."""
    return URL_LOGIN.sub(r"\1***@", SECRET_KEY.sub(r'\1"***"', text))
