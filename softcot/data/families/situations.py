"""Ways of saying that a quantity changes, in ordinary English.

Placeholders: ``{n}`` the person the problem is about, ``{m}`` somebody else, ``{q}`` an amount of
things, ``{b}`` a number, ``{t}`` the things. [Brackets] mark the words that give the meaning away.
"""

from __future__ import annotations

from softcot.data.families.reading import Entry, ranked


def _kind(kind: str, operation: str, *texts: str) -> tuple[Entry, ...]:
    return ranked([Entry(kind, text, text, operation=operation) for text in texts])


GAIN = _kind(
    "gain",
    "add",
    "{n} [buys] {q}",
    "{n} [finds] {q}",
    "{n} [gets] {q} [from] {m}",
    "{m} [gives] {n} {q}",
    "{n} [picks up] {q}",
    "{n} [wins] {q}",
    "{n} [collects] {q}",
    "{n} [inherits] {q}",
    "{n} [gathers] {q}",
    "{n} [is awarded] {q}",
    "{m} [entrusts] {n} [with] {q}",
    "{n} [borrows] {q} [from] {m}",
    "{n} [unearths] {q}",
    "{n} [earns] {q}",
    "{n} [acquires] {q}",
    "{n} [obtains] {q}",
    "{n} [is sent] {q} [by] {m}",
    "{m} [bequeaths] {n} {q}",
    "{n} [salvages] {q}",
    "{n} [procures] {q}",
    "{n} [scoops up] {q}",
    "{n} [stocks up on] {q}",
    "{m} [brings] {n} {q}",
    "{n} [amasses] {q}",
)
LOSS = _kind(
    "loss",
    "subtract",
    "{n} [sells] {q}",
    "{n} [loses] {q}",
    "{n} [gives] {m} {q}",
    "{n} [drops] {q}",
    "{n} [donates] {q}",
    "{n} [throws away] {q}",
    "{m} [takes] {q} [from] {n}",
    "{m} [steals] {q} [from] {n}",
    "{n} [lends] {m} {q}",
    "{n} [misplaces] {q}",
    "{n} [discards] {q}",
    "{n} [hands over] {q}",
    "{n} [mails] {q} [to] {m}",
    "{n} [forfeits] {q}",
    "{n} [squanders] {q}",
    "{n} [breaks] {q}",
    "{n} [returns] {q}",
    "{n} [leaves behind] {q}",
    "{n} [relinquishes] {q}",
    "{m} [confiscates] {q} [from] {n}",
    "{n} [surrenders] {q}",
    "{n} [parts with] {q}",
    "{n} [ruins] {q}",
    "{m} [pockets] {q} [belonging to] {n}",
)
GROWTH = _kind(
    "growth",
    "multiply",
    "the number of {t} {n} has [grows to] {b} [times as many]",
    "{n} [swaps every one of the {t} for] {b} [others]",
    "the collection [multiplies] {b} [fold]",
    "{n} [cuts each of the {t} into] {b} [pieces]",
    "a machine [turns each of the {t} into] {b}",
    "the pile [becomes] {b} [times as large]",
    "{n} [upgrades each single one to a pack of] {b}",
    "the stock [swells by a factor of] {b}",
    "{n} [replaces each of the {t} with] {b} [smaller ones]",
    "a wizard [replicates the hoard until there are] {b} [of each]",
)
DIVISION = _kind(
    "division",
    "divide",
    "{n} [splits the {t} into] {b} [equal piles and keeps one pile]",
    "[only one in] {b} [of the {t} survives a flood]",
    "{n} [shares the {t} equally among] {b} [people, counting {r}]",
    "{n} [keeps one out of every] {b}",
    "{n} [packs the {t} evenly into] {b} [boxes and takes home one box]",
    "the heap [shrinks to one part in] {b}",
    "{n} [deals the {t} into] {b} [even stacks and retains a single stack]",
    "{n} [glues together every] {b} [to make one]",
    "the hoard [is parcelled out to] {b} [heirs, {n} being one]",
    "the collection [dwindles by a factor of] {b}",
)
CHANGES = {"add": GAIN, "subtract": LOSS, "multiply": GROWTH, "divide": DIVISION}

MORE = _kind(
    "more",
    "add",
    "{m} has {b} [more] {t} [than] {n}",
    "{m} [outstrips] {n} by {b} {t}",
    "{m} [beats] {n} by {b} {t}",
    "{m} is {b} {t} [ahead of] {n}",
    "{m} [surpasses] {n} by {b} {t}",
    "{m} [exceeds] {n} by {b} {t}",
    "{m} [leads] {n} by {b} {t}",
    "{m} [tops] {n} by {b} {t}",
    "{m} [eclipses] {n} by {b} {t}",
    "{m} [outdoes] {n} by {b} {t}",
)
FEWER = _kind(
    "fewer",
    "subtract",
    "{m} has {b} [fewer] {t} [than] {n}",
    "{m} [trails] {n} by {b} {t}",
    "{m} [is beaten by] {n} by {b} {t}",
    "{m} is {b} {t} [short of] {n}",
    "{m} [lags] {n} by {b} {t}",
    "{m} [falls behind] {n} by {b} {t}",
    "{m} [follows] {n} by {b} {t}",
    "{m} [yields to] {n} by {b} {t}",
    "{m} [undershoots] {n} by {b} {t}",
    "{m} [is outdone by] {n} by {b} {t}",
)
COMPARISONS = {"add": MORE, "subtract": FEWER}

INCREASE = _kind(
    "increase",
    "add",
    "[add] {b}",
    "[increase] it by {b}",
    "[augment] it by {b}",
    "[raise] it by {b}",
    "[supplement] it with {b}",
    "[enlarge] it by {b}",
    "[boost] it by {b}",
    "[top] it [up] with {b}",
    "[annex] {b}",
    "[heighten] it by {b}",
)
DECREASE = _kind(
    "decrease",
    "subtract",
    "[subtract] {b}",
    "[decrease] it by {b}",
    "[reduce] it by {b}",
    "[diminish] it by {b}",
    "[lower] it by {b}",
    "[curtail] it by {b}",
    "[deduct] {b}",
    "[lessen] it by {b}",
    "[trim] it by {b}",
    "[dock] {b}",
)
PRODUCT = _kind(
    "product",
    "multiply",
    "[multiply] it by {b}",
    "[scale] it by {b}",
    "[take] it {b} [times over]",
    "[magnify] it by {b}",
    "[amplify] it by {b}",
    "[replicate] it by {b}",
    "[inflate] it with a factor of {b}",
    "[compound] it by {b}",
)
QUOTIENT = _kind(
    "quotient",
    "divide",
    "[divide] it by {b}",
    "[split] it by {b}",
    "[take one part in] {b} of it",
    "[partition] it by {b}",
    "[apportion] it by {b}",
    "[contract] it with a factor of {b}",
    "[deflate] it by {b}",
    "[fraction] it by {b}",
)
INSTRUCTIONS = {
    "add": INCREASE,
    "subtract": DECREASE,
    "multiply": PRODUCT,
    "divide": QUOTIENT,
}


def _values(kind: str, **values: int) -> tuple[Entry, ...]:
    names = {name.replace("_", " "): value for name, value in values.items()}
    return ranked([Entry(kind, n, f"[{n}]", value=v) for n, v in names.items()])


AMOUNTS = _values(
    "amount",
    pair=2,
    brace=2,
    trio=3,
    quartet=4,
    quintet=5,
    half_dozen=6,
    septet=7,
    octet=8,
    dozen=12,
    long_dozen=13,
    score=20,
    shock=60,
)
"""Words for a number of things: a dozen marbles."""
