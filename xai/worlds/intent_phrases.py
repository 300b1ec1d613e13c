"""With which phrases are intent texts put together? Every one of them may hold words that decide elsewhere and do not decide here.

Slots: {one} a noun with its article, {the} with a definite one, {plural} a bare plural, {head} a word for an act,
{done} a participle, {falls} rain or snow, {noun} a bare noun, {person}, {clock} a time of day, {number}.
"""

from __future__ import annotations

from xai.worlds.intent_lexicon import Act, Topic

# Core phrases, which hold the frame; (weight, phrase).
Weighted = tuple[tuple[float, str], ...]

MAKE: Weighted = (
    (6, "{head} {one}"),
    (1, "don't forget to {head} {one}"),
    (1, "i want {one} {done}"),
    (1, "i need {one} {done}"),
)
UNDO: Weighted = ((6, "{head} {the}"), (1, "i want {the} {done}"), (1, "i need {the} {done}"))
NEGATED = ("don't {head} {one}", "do not {head} {one}", "please never {head} {one}", "you must not {head} {one}")
TURN_MAKE = ("turn on {the}", "turn {the} on", "switch on {the}", "switch {the} on", "flip {the} on")
TURN_UNDO = ("turn off {the}", "turn {the} off", "switch off {the}", "switch {the} off", "flip {the} off")
WAKE_MAKE = ("wake me", "wake us", "wake me up", "you should wake me")
WAKE_UNDO = ("don't wake me", "do not wake me", "never wake us", "do not wake us up")

# Most common first, like the synonyms.
ASK: dict[Topic, tuple[str, ...]] = {
    "alarm": (
        "when is {the} set",
        "which {plural} are on",
        "when do you wake me",
        "what {plural} are left to cancel",
        "is there {one} to remove",
        "did you {head} {the}",
        "show me {the}",
        "tell me whether {the} is off",
        "what time do you wake us",
        "list {plural}",
        "how loud is {the}",
        "will {the} ring",
        "check {the}",
        "confirm {the}",
        "name {plural} i can delete",
        "recall {the}",
    ),
    "music": (
        "what {noun} is on",
        "which {plural} can you play",
        "what is {the} they play",
        "did you {head} {the}",
        "is there {one} to stop",
        "when does {the} start",
        "show me {the}",
        "tell me whether {the} is off",
        "how long is {the}",
        "list {plural}",
        "will {the} end",
        "check {the}",
        "name {the} they put on",
        "confirm {the}",
        "recall {the}",
    ),
    "table": (
        "when is {the} booked",
        "which {plural} are free to book",
        "did you {head} {the}",
        "is there {one} to get",
        "what {plural} can we cancel",
        "how big is {the}",
        "show me {the}",
        "tell me whether {the} is reserved",
        "list {plural}",
        "check {the}",
        "will {the} hold",
        "confirm {the}",
        "name {plural} you can release",
        "recall {the}",
    ),
    "weather": (
        "what is {the}",
        "how is {the}",
        "will it {falls}",
        "show me {the}",
        "is there {falls}",
        "check {the}",
        "tell me whether {the} is bad",
        "did it {falls}",
        "when does it {falls}",
        "confirm {the}",
        "recall {the}",
    ),
}

GREETINGS = ("hey", "ok", "hello", "alright", "now", "well", "good morning")
REQUESTS = ("please", "could you", "can you", "would you kindly", "i would like you to", "go ahead and")  # before an order only
NOT_AN_ORDER = ("i", "you", "do", "don't", "never", "please")  # first words of cores that no request goes before
CLOSINGS = ("please", "thanks", "thank you", "if you can", "right now", "as soon as possible", "would you", "my friend")

# What usually goes with a topic, and with an act: a model may lean on it, the parser does not.
TOPIC_CONTEXT: dict[Topic, tuple[str, ...]] = {
    "alarm": (
        "at {clock}",
        "for {clock}",
        "at {clock} sharp",
        "on weekdays",
        "for the early shift",
        "before the train leaves",
        "in the bedroom",
    ),
    "music": (
        "by {person}",
        "with {person} singing",
        "in the kitchen",
        "on the speaker",
        "from the nineties",
        "a bit louder",
        "for the party",
    ),
    "table": (
        "for {number} people",
        "at the italian place",
        "for dinner",
        "by the window",
        "under {person}",
        "on the terrace",
        "for {number}",
    ),
    "weather": ("in oslo", "in lisbon", "near the coast", "over the weekend", "outside", "this afternoon", "up in the hills"),
}
ACT_CONTEXT: dict[Act, tuple[str, ...]] = {
    "make": (
        "for the first time",
        "as a treat",
        "like every week",
        "because i am in the mood",
        "it is a big day",
        "i have been looking forward to it",
    ),
    "ask": ("i forgot", "just curious", "i am not sure", "i was wondering", "for my notes", "so i can tell {person}"),
    "undo": ("after all", "our plans changed", "i changed my mind", "it is no longer needed", "that was a mistake", "{person} is ill"),
}

# Words that decide elsewhere. {noun} and {head} are of another topic.
SUBORDINATING = ("after", "since", "unlike", "talking")  # first words of clauses that no "so" goes after
TOPIC_BAIT_BEFORE = (
    "after the {noun} they {head} every day",
    "since the {noun} we {head} is so nice",
    "unlike the {noun} you {head} for {person}",
    "{person} and i love this {noun}",
    "talking about the {noun} makes me tired",
    "i am done with the {noun}",
)
TOPIC_BAIT_AFTER = (
    "before the {noun} they {head} gets busy",
    "because the {noun} is not good",
    "so that the {noun} can wait",
    "and forget about the {noun}",
    "as the {noun} we {head} is enough",
    "since {person} loves the {noun}",
)
ACT_BAIT_BEFORE = (
    "no need to {head} it",
    "i know {person} wanted to {head} it",
    "we used to {head} them",
    "it was silly to {head} it",
    "you could {head} more",
)
ACT_BAIT_AFTER = (
    "and not {head} it",
    "instead of making me {head} it later",
    "before i {head} something else",
    "rather than {head} one",
    "or {person} may {head} it",
    "no matter when",
    "whether you like it or not",
    "and show {person}",
)
IDIOMS = (
    "they play cards",
    "i set out early",
    "my book is long",
    "the show ran late",
    "the list is endless",
    "a friend will stop by",
    "we get along",
    "the start was rough",
    "i drop the kids off",
    "my name is {person}",
    "it is on me",
    "the end is near",
    "we put it off",
)

ADJECTIVES = ("new", "other", "usual", "good", "quiet", "early", "late", "second", "big")
PERSONS = ("anna", "omar", "lucia", "ben", "mei", "pavel", "ines", "tom", "zoe", "raj")
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
CLOCKS = ("six", "seven", "eight", "nine", "ten", "6:30", "7:15", "8:45", "5:50", "9:20", "noon")
