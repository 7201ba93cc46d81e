"""Things that can be counted, and their plurals."""

from __future__ import annotations

_IRREGULAR = {
    "knife": "knives", "leaf": "leaves", "loaf": "loaves", "shelf": "shelves", "scarf": "scarves",
    "mouse": "mice", "goose": "geese", "tooth": "teeth", "potato": "potatoes", "tomato": "tomatoes",
    "mango": "mangoes", "calf": "calves", "wolf": "wolves", "ox": "oxen", "cactus": "cacti",
}  # fmt: skip

SINGULAR = tuple(
    (
        # At school and at work
        "pencil pen crayon eraser ruler notebook book magazine comic folder marker brush "
        "paintbrush envelope stamp postcard letter card photo poster map sticker label badge "
        "binder stapler chart calendar diary textbook newspaper leaflet ticket token voucher "
        "coupon receipt form "
        # Toys and collections
        "marble coin shell button bead ribbon magnet key ball balloon kite doll puppet robot "
        "block brick puzzle toy drum whistle trumpet guitar flute bell medal trophy figurine "
        "model statue mask costume crown ring necklace bracelet earring brooch pearl gem "
        "crystal diamond ruby emerald pebble rock fossil feather acorn pinecone leaf seed "
        "bulb petal twig stick "
        # Food
        "apple pear orange banana lemon lime peach plum cherry apricot grape melon mango "
        "papaya kiwi fig date olive berry strawberry raspberry blueberry blackberry coconut "
        "pineapple carrot onion potato tomato pepper cucumber pumpkin radish turnip bean pea "
        "mushroom cabbage egg nut walnut almond peanut chestnut cookie biscuit cake cupcake "
        "muffin pie tart donut bagel bun roll loaf sandwich pizza burger sausage pancake "
        "waffle pretzel cracker candy sweet chocolate lollipop caramel toffee truffle jelly "
        "dumpling taco "
        # Animals
        "cat dog kitten puppy rabbit hamster mouse parrot canary goldfish fish turtle frog "
        "lizard snake chicken hen duck goose turkey pigeon sheep lamb goat cow calf pig "
        "piglet horse pony donkey ox bee butterfly ant beetle spider snail ladybug cricket "
        "wolf fox bear deer owl eagle penguin "
        # Plants
        "tree bush flower tulip daisy lily violet orchid sunflower cactus fern rosebud "
        "seedling sapling "
        # At home
        "cup mug glass plate bowl fork spoon knife pan pot kettle jar bottle can tin basket "
        "bucket bag box crate barrel tray lid candle lamp lantern bulb pillow blanket towel "
        "sheet rug curtain cushion chair stool table bench desk shelf drawer mirror clock "
        "vase frame picture painting brush comb sponge broom mop needle thread spool hook "
        "nail screw bolt hammer wrench screwdriver plank tile pipe rope lock battery cable "
        "plug fan heater "
        # To wear
        "shirt sweater jacket coat dress skirt sock shoe boot sandal slipper hat cap scarf "
        "glove mitten belt tie apron purse wallet backpack suitcase umbrella watch "
        "handkerchief "
        # Outside, and on the road
        "car truck bus van bike bicycle scooter skateboard boat ship canoe raft train wagon "
        "cart tire wheel tent flag sign lantern shovel rake hose bucket brick paddle oar net "
        "rocket drone "
        # People and the like
        "player student pupil guest visitor soldier dancer singer farmer sailor worker "
        # Words of all kinds
        "point song story poem riddle drawing sketch recipe game disc record tape film "
    ).split()
)


def plural(noun: str) -> str:
    """Several of a thing."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if noun in ("fish", "sheep", "deer"):
        return noun
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "z", "ch", "sh")) else f"{noun}s"


NOUNS = {noun: plural(noun) for noun in dict.fromkeys(SINGULAR)}
"""One of a thing -> several."""
