"""What does docs/provenance.md say in words, around the figures? Nothing here depends on what was measured."""

OPENING = """# Which training examples stand behind a prediction?

Made by `scripts/provenance_page.py` from {lakes}; do not edit. Choices: [decision 0026](decisions/0026-provenance.md).
Tables: `gold.provenance_*`, `silver.heads` and `silver.exemplars` ([tables.md](tables.md)). Settings: {stamps}.

A provenance network (arXiv 2510.03361) is a classifier with two heads over one trunk:

- the **class head** tells the class, as in any classifier;
- the **index head** gives each training example a probability, and so names the examples behind an input;
- `two_branch` names any example, `class_conditional` only those of the class that it tells, `single_branch` shares all layers;
- the free alternative is **kNN**: the nearest training examples in the same features, without a head and without training;
- the **plain** classifier is the same trunk without an index head, and names nothing.

**How to read it.** Top-1 and top-5 index: share of *training* inputs that are named first, or among five, themselves. {match}: share
of *meta* inputs whose first named example has their true class; of a class-conditional head that is class accuracy by construction. Of
kNN top-1 index is near 1 by definition: an input is its own nearest neighbour. Intervals are 95 %, Student's t over seeds, cut to 0..1; a
† marks one seed, or seeds that all say 0 or all 1: there it is Wilson's (of membership: a bootstrap) over inputs, which says nothing of
other seeds. Differences are paired by seed; one seed gives no verdict. None of the intervals is corrected for their number.
"""

VERDICTS = """### {name}: verdicts

{counts} No evidence is not evidence of no difference: read how wide the interval is.

"""

VARIANTS = """### {name}: networks beside the plain classifier and kNN

{n_train} training pictures, {n} of meta, {epochs} epochs. The network from which all others differ by one factor: {usual}.

"""

ALPHA = (
    "The index target is another example of the class with probability alpha; 0 is pure memorisation. The source blames over-memorisation\n"
    "on a high alpha in one place, against this definition of its own."
)
FACTORS = {
    "alpha": ("label mixing", "alpha", ALPHA),
    "lambda_index": ("weight of the index loss", "lambda_index", ""),
    "lambda_class": ("weight of the class loss", "lambda_class", ""),
    "selection": ("how the subset is chosen", "selection", "Stratified: at random within each class, drawn anew per seed."),
}

SHARING = """### {name}: where does sharing interfere?

Layers that both heads share: the first conv block (I), two (II), three (III), these and the fully connected layer (IV). Interference: a
figure is lower than at the least sharing of the same size, and the interval leaves out 0.

"""

SUBSET = """### {name}: how many pictures

The share of {n} training pictures that a network learns from, and names.

"""
SOURCE_TOP1 = ((0.3, 0.797), (0.5, 0.699))  # subset, top-1 index accuracy in the source
SOURCE_FALL = (
    "The source saw top-1 index accuracy fall from {before:.3f} with {first:.0%} of its pictures to {after:.3f} with {second:.0%} (random "
    "subsets)."
)

REACHED = """### {name}: the source's two figures

With 30 % of MNIST, which are 18,000 pictures, the source reports at least {accuracy:.0%} class accuracy and at least
{index:.0%} top-5 index accuracy on training inputs. Here {n} training pictures are at hand.

"""
SOURCE_ON, SOURCE_ACCURACY, SOURCE_INDEX = "mnist", 0.99, 0.95

COSTS = """### {name}: what it costs, and how large the index head is

Seconds of training on one thread, by the clock of that run (of kNN: to rank meta), mean over seeds. The source says that the
class-conditional head shrinks 60,000 outputs to 100. It needs max_y K_y slots, one for each example of the largest class: about
6,700 for all 60,000; 100 would take a subset of about 1,000.

"""

EPOCHS = """## Over the epochs

![Class accuracy and top-5 index accuracy over the epochs]({picture})

{told}"""

ROBUSTNESS = """### {name}: under corruptions and attacks

Class accuracy of the plain classifier, and how far the others are from it on the same inputs, paired by seed. Corruptions: mean over
severities, {n} pictures; FGSM and PGD against each network's own class head, {attacked} pictures, epsilon is the largest change of a
pixel in 0..1.

"""

CLASS_ERRORS = """### {name}: told a wrong class

Top-5 index accuracy on {n} training inputs while a drawn share of them is told a wrong class. A class-conditional head that is told a wrong
class cannot name the input itself, so that it has at most 1 minus that share; the others do not hear it.

"""

MEMBERSHIP = """### {name}: who was in the training set?

Membership inference: training inputs against meta by the largest index probability (of the plain classifier the largest class
probability, of kNN the cosine). By class: the same attack by the network's own class probability. {n} training inputs, {n_meta} of meta.

"""

MISLABELS = """### {name}: wrong labels

Labels of {n} training pictures were flipped; the most suspect are looked at first. The index head (of a `two_branch` network) and kNN
suspect an example whose named examples have other labels, itself excluded; loss: of the plain classifier at the end, loss_mean: over all
epochs. Cells: precision / recall, with the recall's interval over {seeds}.

"""

CAUSAL = """### {name}: do predictions rest on the named examples?

The named examples are taken out, and the class head is fitted again on frozen features, or the whole network trained again. Change of
p(predicted class): below 0, the prediction was held up by them. Random ones are of the predicted class. Intervals are Student's t over test
examples, whose seeds are averaged first.

"""

GENERATION = """### {name}: traceable generation

A small variational autoencoder with and without an index head over its latent vector, {n_train} training pictures; each generated picture
names five. Nats per held-out picture; top-5 index on training pictures.

"""

HEADS = """## Heads over embeddings

Over `bronze.embeddings` of a frozen backbone, all training examples. Class accuracy and {match} are on meta, with
Wilson's intervals over its examples, one seed each; of kNN the class is that of the nearest. Logistic regression on the same vectors
names nothing. Two figures whose intervals overlap are not said to differ.

"""
