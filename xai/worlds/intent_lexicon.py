"""Which words can decide an intent, and what does each of them mean? Synonyms stand most common first: late ones are rare on purpose."""

from __future__ import annotations

from typing import Literal

Topic = Literal["alarm", "music", "table", "weather"]
Act = Literal["make", "ask", "undo"]

LABELS: dict[tuple[Topic, Act], str] = {
    ("alarm", "make"): "set_alarm",
    ("alarm", "ask"): "query_alarm",
    ("alarm", "undo"): "remove_alarm",
    ("music", "make"): "play_music",
    ("music", "ask"): "query_music",
    ("music", "undo"): "stop_music",
    ("table", "make"): "book_table",
    ("table", "ask"): "query_table",
    ("table", "undo"): "cancel_table",
    ("weather", "ask"): "query_weather",
}

# Topic nouns: of one thing, of several, and of a mass ("some music").
ONE: dict[Topic, tuple[str, ...]] = {
    "alarm": ("alarm", "reminder", "alert", "timer", "buzzer"),
    "music": ("song", "track", "album", "playlist", "tune", "ballad"),
    "table": ("table", "reservation", "booking", "booth", "seat"),
    "weather": (),
}
SEVERAL: dict[Topic, tuple[str, ...]] = {
    "alarm": ("alarms", "reminders", "alerts", "timers", "buzzers"),
    "music": ("songs", "tracks", "albums", "tunes", "ballads"),
    "table": ("tables", "reservations", "bookings", "booths", "seats"),
    "weather": (),
}
MASS: dict[Topic, tuple[str, ...]] = {
    "alarm": (),
    "music": ("music", "jazz", "techno"),
    "table": (),
    "weather": ("weather", "forecast", "temperature", "humidity"),
}
FALLING = ("rain", "snow", "hail")  # "will it rain": weather named by a verb
WAKE, WOKEN = "wake", ("me", "us")  # "wake me" is an alarm and asks for it at once

# Words that ask for an act on the first topic noun after them.
HEADS: dict[tuple[Topic, Act], tuple[str, ...]] = {
    ("alarm", "make"): ("set", "create", "schedule", "add", "arrange", "program", "activate"),
    ("alarm", "undo"): ("cancel", "remove", "delete", "clear", "drop", "erase", "scrap"),
    ("music", "make"): ("play", "start", "put", "stream", "queue", "spin", "blast"),
    ("music", "undo"): ("stop", "pause", "mute", "end", "quit", "silence", "halt"),
    ("table", "make"): ("book", "reserve", "get", "arrange", "secure", "hold", "request"),
    ("table", "undo"): ("cancel", "drop", "release", "undo", "scrap", "forfeit", "annul"),
}
ASKS = ("when", "which", "what", "there", "show", "list", "did", "check", "whether", "how", "will", "confirm", "name", "recall")

TURNS = ("turn", "switch", "flip")  # "turn off the music", "turn the music off"
PARTICLES: dict[str, Act] = {"on": "make", "off": "undo"}
TURNED: tuple[Topic, ...] = ("alarm", "music")

NEGATIONS = ("don't", "not", "never")  # right before a word for making: the opposite is wanted

WISHES = ("want", "need", "prefer", "require")  # "i want my alarm cancelled"
PARTICIPLES: dict[tuple[Topic, Act], tuple[str, ...]] = {
    ("alarm", "make"): ("created", "scheduled", "added"),
    ("alarm", "undo"): ("cancelled", "removed", "deleted"),
    ("music", "make"): ("played", "started", "streamed"),
    ("music", "undo"): ("stopped", "paused", "muted"),
    ("table", "make"): ("booked", "reserved", "secured"),
    ("table", "undo"): ("cancelled", "released", "dropped"),
}
