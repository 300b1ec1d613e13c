"""What does docs/inversion.md say in words, around the figures?"""

OPENING = """# Is an explanation used, or merely told afterwards?

Made by `scripts/inversion_page.py` from a lake in which probe worlds were run ({n_seeds} seeds of every model; settings: {stamps}).
Formulas and choices: `xai/inversion`, [decision 0024](decisions/0024-probe-worlds.md). Tables: `gold.inversion_summary`,
`gold.inversion_sweep`, `gold.inversion_verdict` ([tables.md](tables.md)).

- **R, reliance**: over pokes of the input, the correlation of how far the explanation moves with how far the output moves.
- **F, faithfulness**: over units, the correlation of |attribution| with the effect of removing the unit.
- **IS, inversion score**: root of the mean of R² and (1 - F)². The source (arXiv 2504.08919) reads a low score as a faithful explanation.
"""

LESSON = """## Why IS is never read alone

![R and F of every explanation of y = x1 sin(x2)](inversion.svg)

The model is the formula y = x1 sin(x2) itself, beside four dummies ({n} examples a seed), so that the truth is known:

{table}
- **Exact explanations score badly.** Occlusion and exact Shapley values say exactly what decides (F = 1) and move exactly with the output
  (R = 1): IS is {exact:.3f}. Noise, which knows nothing, has {random:.3f}: better, by the score.
- **Sampling noise looks like virtue.** LIME with the same masks at every poke has {lime:.3f}; with fresh masks, as faithful as before,
  {fresh:.3f}. Nothing but noise in R lowered it. Pair the masks before you compare methods.
- **R = 1 belongs to this product.** For a linear model exact attributions have F = 1 too, but R falls with the number of features: about
  0.84, 0.58 and 0.38 for 2, 6 and 20 (`tests/unit/gold/inversion`).
- **Telling the output back is the worst**, and only R and F together show why: `output_echo` has R = 1 and F = 0.

So read R beside the oracle's R, read F, and read IS last.
"""

WORLDS = """## What each world says

Means over examples and seeds, the untouched input. F mean and F background: where a hidden unit shows the training mean, or those of
training rows, instead of zero. R-oracle: R minus that of the truth's own attribution. R partial: given how far the units' true effects on
the model move. IS poked: after Reproduce-by-Poking (scale-free, lambda 1); IS shrunk: after its control. Mass: share of |a| that refining
keeps. Dashes: the truth is not known, or explains everything. Of occlusion F is 1 by definition: what it says is the effect itself, so read
its F background instead. Of classifiers the oracle is p shared by the units that decide: its R is 1.
"""

TEMPTED = """## Tempted by a slot

Share of |a| on an unused slot that echoes the output with strength psi, as it is and after Reproduce-by-Poking (mean over the methods
that are no controls), and the model's own sensitivity to the slot as a share of all units': what an exact explanation must show. Where the
model ignores the slot, nothing ought to rise.

"""

VERDICTS = """## Verdicts

Does Reproduce-by-Poking reduce the rise of IS with psi beyond one factor for each input (shrink)? Gain below 0 is better; intervals are
Student's t over seeds, each of which draws its own examples, noise and model. One verdict per model, over its methods, and one per domain
over its trained models; single methods have intervals that are not corrected for their number, and no verdict.
"Does not rise" means that the interval of the rise holds 0, not that there is none: read how wide it is.

"""

SWEPT = """## More pokes, larger pokes

IS after Reproduce-by-Poking (scale-free, lambda 1) by number and size of pokes of one unit; mean and sd over seeds and examples; occlusion.

"""

LAKE = """## On the lake's own adapters

Group `inversion` of `silver.explanation_metrics`: means over examples and adapters of the demo's two datasets; how many examples and
pokes is said by `explanations.inversion`. What the truth is nobody knows here, so R stands beside the controls alone. Delta: how much a
unit's attribution moves when that unit alone is poked, as a share of the mean |a|; mass: share of |a| that Reproduce-by-Poking keeps.

"""

COSTS = """## What it costs

Forwards for R, F and Reproduce-by-Poking of one example, the refined explanation recomputed at every poke: I inputs (the example and its
pokes), N units, r pokes of each, n masks, V masks that show a unit summed over units, s steps. Here I = {inputs}, r = {repeats},
n = {masks}, V = {visible}, s = {steps}. Methods that are asked together share masks. `tests/unit/gold/inversion` compares the formulas with
counted forwards.

"""
