"""Ways of saying that a quantity changes, in ordinary English.

Placeholders: ``{n}`` the person the problem is about, ``{m}`` somebody else, ``{q}`` an amount of
things, ``{b}`` a number, ``{t}`` the things. [Brackets] mark the words that give the meaning away.
The usual ways are read by every base; how many of the others a base has read is its fraction.
"""

from __future__ import annotations

from softcot.data.families.reading import Entry, ranked


def _kind(kind: str, operation: str, *texts: str) -> tuple[Entry, ...]:
    return ranked([Entry(kind, text, text, operation=operation) for text in texts])


def _usual(kind: str, operation: str, *texts: str, value: int = 0) -> tuple[Entry, ...]:
    """Usual ways to say it, in the present and, behind a bar, in the past."""
    entries = []
    for text in texts:
        now, _, then = text.partition(" | ")
        entries.append(
            Entry(kind, now, now, operation=operation, value=value, usual=True, past=then)
        )
    return tuple(entries)


GAIN = _usual(
    "gain",
    "add",
    "{n} [buys] {q} | {n} [bought] {q}",
    "{n} [gets] {q} | {n} [got] {q}",
    "{n} [gets] {q} [from] {m} | {n} [got] {q} [from] {m}",
    "{n} [receives] {q} | {n} [received] {q}",
    "{n} [receives] {q} [from] {m} | {n} [received] {q} [from] {m}",
    "{n} [is given] {q} | {n} [was given] {q}",
    "{n} [is given] {q} [by] {m} | {n} [was given] {q} [by] {m}",
    "{n} [finds] {q} | {n} [found] {q}",
    "{n} [earns] {q} | {n} [earned] {q}",
    "{n} [wins] {q} | {n} [won] {q}",
    "{n} [picks up] {q} | {n} [picked up] {q}",
    "{n} [collects] {q} | {n} [collected] {q}",
    "{n} [makes] {q} | {n} [made] {q}",
    "{n} [adds] {q} | {n} [added] {q}",
    "{n} [brings home] {q} | {n} [brought home] {q}",
    "{n} [gains] {q} | {n} [gained] {q}",
    "{n} [borrows] {q} [from] {m} | {n} [borrowed] {q} [from] {m}",
    "{m} [gives] {n} {q} | {m} [gave] {n} {q}",
    "{m} [gives] {q} [to] {n} | {m} [gave] {q} [to] {n}",
    "{m} [hands] {n} {q} | {m} [handed] {n} {q}",
    "{m} [brings] {n} {q} | {m} [brought] {n} {q}",
    "{m} [sends] {n} {q} | {m} [sent] {n} {q}",
) + _kind(
    "gain",
    "add",
    "{n} [inherits] {q}",
    "{n} [gathers] {q}",
    "{n} [is awarded] {q}",
    "{m} [entrusts] {n} [with] {q}",
    "{n} [unearths] {q}",
    "{n} [acquires] {q}",
    "{n} [obtains] {q}",
    "{n} [is mailed] {q} [by] {m}",
    "{m} [bequeaths] {n} {q}",
    "{n} [salvages] {q}",
    "{n} [procures] {q}",
    "{n} [scoops up] {q}",
    "{n} [stocks up on] {q}",
    "{n} [amasses] {q}",
    "{n} [accrues] {q}",
    "{n} [garners] {q}",
    "{n} [reaps] {q}",
    "{n} [retrieves] {q}",
    "{n} [wangles] {q}",
    "{m} [endows] {n} [with] {q}",
)
LOSS = _usual(
    "loss",
    "subtract",
    "{n} [sells] {q} | {n} [sold] {q}",
    "{n} [loses] {q} | {n} [lost] {q}",
    "{n} [gives] {m} {q} | {n} [gave] {m} {q}",
    "{n} [gives] {q} [to] {m} | {n} [gave] {q} [to] {m}",
    "{n} [gives away] {q} | {n} [gave away] {q}",
    "{n} [drops] {q} | {n} [dropped] {q}",
    "{n} [uses] {q} | {n} [used] {q}",
    "{n} [uses up] {q} | {n} [used up] {q}",
    "{n} [eats] {q} | {n} [ate] {q}",
    "{n} [donates] {q} | {n} [donated] {q}",
    "{n} [throws away] {q} | {n} [threw away] {q}",
    "{n} [breaks] {q} | {n} [broke] {q}",
    "{n} [returns] {q} | {n} [returned] {q}",
    "{n} [spends] {q} | {n} [spent] {q}",
    "{n} [lends] {m} {q} | {n} [lent] {m} {q}",
    "{n} [lends] {q} [to] {m} | {n} [lent] {q} [to] {m}",
    "{n} [sends] {q} [to] {m} | {n} [sent] {q} [to] {m}",
    "{n} [hands] {q} [to] {m} | {n} [handed] {q} [to] {m}",
    "{n} [hands over] {q} | {n} [handed over] {q}",
    "{m} [takes] {q} [from] {n} | {m} [took] {q} [from] {n}",
    "{m} [steals] {q} [from] {n} | {m} [stole] {q} [from] {n}",
    "{m} [borrows] {q} [from] {n} | {m} [borrowed] {q} [from] {n}",
) + _kind(
    "loss",
    "subtract",
    "{n} [misplaces] {q}",
    "{n} [discards] {q}",
    "{n} [mails] {q} [to] {m}",
    "{n} [forfeits] {q}",
    "{n} [squanders] {q}",
    "{n} [leaves behind] {q}",
    "{n} [relinquishes] {q}",
    "{m} [confiscates] {q} [from] {n}",
    "{n} [surrenders] {q}",
    "{n} [parts with] {q}",
    "{n} [ruins] {q}",
    "{m} [pockets] {q} [belonging to] {n}",
    "{n} [jettisons] {q}",
    "{n} [scraps] {q}",
    "{n} [ditches] {q}",
    "{n} [mislays] {q}",
    "{n} [cedes] {q} [to] {m}",
    "{n} [auctions off] {q}",
    "{n} [pawns] {q}",
    "{n} [wastes] {q}",
)
GROWTH = (
    _usual(
        "growth",
        "multiply",
        "{n} [doubles] the number of {t} | {n} [doubled] the number of {t}",
        "the number of {t} [doubles] | the number of {t} [doubled]",
        value=2,
    )
    + _usual(
        "growth",
        "multiply",
        "{n} [triples] the number of {t} | {n} [tripled] the number of {t}",
        "the number of {t} [triples] | the number of {t} [tripled]",
        value=3,
    )
    + _usual(
        "growth",
        "multiply",
        "{n} then has {b} [times as many] {t} | {n} then had {b} [times as many] {t}",
        "the number of {t} [grows to] {b} [times as many] | the number of {t} [grew to] {b} "
        "[times as many]",
        "{n} [cuts each of the {t} into] {b} [pieces] | "
        "{n} [cut each of the {t} into] {b} [pieces]",
    )
) + _kind(
    "growth",
    "multiply",
    "{n} [swaps every one of the {t} for] {b} [others]",
    "the collection [multiplies] {b} [fold]",
    "a machine [turns each of the {t} into] {b}",
    "the pile [becomes] {b} [times as large]",
    "{n} [upgrades each single one to a pack of] {b}",
    "the stock [swells by a factor of] {b}",
    "{n} [replaces each of the {t} with] {b} [smaller ones]",
    "a wizard [replicates the hoard until there are] {b} [of each]",
)
DIVISION = (
    _usual(
        "division",
        "divide",
        "{n} [loses half of] the {t} | {n} [lost half of] the {t}",
        "{n} [gives away half of] the {t} | {n} [gave away half of] the {t}",
        "{n} [sells half of] the {t} | {n} [sold half of] the {t}",
        value=2,
    )
    + _usual(
        "division",
        "divide",
        "{n} [shares the {t} equally among] {b} [people, counting {r}] | "
        "{n} [shared the {t} equally among] {b} [people, counting {r}]",
        "{n} [splits the {t} into] {b} [equal piles and keeps one pile] | "
        "{n} [split the {t} into] {b} [equal piles and kept one pile]",
    )
    + _kind(
        "division",
        "divide",
        "[only one in] {b} [of the {t} survives a flood]",
        "{n} [keeps one out of every] {b}",
        "{n} [packs the {t} evenly into] {b} [boxes and takes home one box]",
        "the heap [shrinks to one part in] {b}",
        "{n} [deals the {t} into] {b} [even stacks and retains a single stack]",
        "{n} [glues together every] {b} [to make one]",
        "the hoard [is parcelled out to] {b} [heirs, {n} being one]",
        "the collection [dwindles by a factor of] {b}",
    )
)
CHANGES = {"add": GAIN, "subtract": LOSS, "multiply": GROWTH, "divide": DIVISION}

MORE = _usual(
    "more",
    "add",
    "{m} has {b} [more] {t} [than] {n} | {m} had {b} [more] {t} [than] {n}",
    "{m} has {b} {t} [more than] {n} | {m} had {b} {t} [more than] {n}",
    "{n} has {b} [fewer] {t} [than] {m} | {n} had {b} [fewer] {t} [than] {m}",
    "{n} has {b} [less] {t} [than] {m} | {n} had {b} [less] {t} [than] {m}",
) + _kind(
    "more",
    "add",
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
FEWER = _usual(
    "fewer",
    "subtract",
    "{m} has {b} [fewer] {t} [than] {n} | {m} had {b} [fewer] {t} [than] {n}",
    "{m} has {b} {t} [fewer than] {n} | {m} had {b} {t} [fewer than] {n}",
    "{m} has {b} [less] {t} [than] {n} | {m} had {b} [less] {t} [than] {n}",
    "{n} has {b} [more] {t} [than] {m} | {n} had {b} [more] {t} [than] {m}",
) + _kind(
    "fewer",
    "subtract",
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

INCREASE = _usual(
    "increase",
    "add",
    "[add] {b}",
    "[increase] it by {b}",
    "[add] {b} [to] it",
) + _kind(
    "increase",
    "add",
    "[augment] it by {b}",
    "[raise] it by {b}",
    "[supplement] it with {b}",
    "[enlarge] it by {b}",
    "[boost] it by {b}",
    "[top] it [up] with {b}",
    "[annex] {b}",
    "[heighten] it by {b}",
)
DECREASE = _usual(
    "decrease",
    "subtract",
    "[subtract] {b}",
    "[decrease] it by {b}",
    "[take away] {b}",
    "[subtract] {b} [from] it",
) + _kind(
    "decrease",
    "subtract",
    "[reduce] it by {b}",
    "[diminish] it by {b}",
    "[lower] it by {b}",
    "[curtail] it by {b}",
    "[deduct] {b}",
    "[lessen] it by {b}",
    "[trim] it by {b}",
    "[dock] {b}",
)
PRODUCT = _usual(
    "product",
    "multiply",
    "[multiply] it by {b}",
    "[multiply] by {b}",
) + _kind(
    "product",
    "multiply",
    "[scale] it by {b}",
    "[take] it {b} [times over]",
    "[magnify] it by {b}",
    "[amplify] it by {b}",
    "[replicate] it by {b}",
    "[inflate] it with a factor of {b}",
    "[compound] it by {b}",
)
QUOTIENT = _usual(
    "quotient",
    "divide",
    "[divide] it by {b}",
    "[divide] by {b}",
) + _kind(
    "quotient",
    "divide",
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


def _values(kind: str, usual: bool = False, **values: int) -> tuple[Entry, ...]:
    names = {name.replace("_", " "): value for name, value in values.items()}
    entries = [Entry(kind, n, f"[{n}]", value=v, usual=usual) for n, v in names.items()]
    return tuple(entries) if usual else ranked(entries)


AMOUNTS = _values("amount", usual=True, pair=2, half_dozen=6, dozen=12) + _values(
    "amount",
    brace=2,
    trio=3,
    quartet=4,
    quintet=5,
    septet=7,
    octet=8,
    long_dozen=13,
    score=20,
    shock=60,
)
"""Words for a number of things: a dozen marbles."""
