# %% [markdown]
# # Lab 1 · Write an LSTM cell, gate by gate
#
# In this lab you write an LSTM yourself: six small functions, in NumPy. At the end your own
# cell runs beside the library's, number for number, and you watch your own memory fade or hold.
#
# The ideas are in [chapter 3, the memory cell](../book/03-memory-cell.ipynb). You need a little
# NumPy: `+`, `*`, `@` and `.T` on arrays. Take about 45 minutes.

# %% [markdown]
# ## How it works
#
# 1. Each exercise is one function. Put your own lines in the place of the `...`, and run the cell.
# 2. Run the check below it. It answers at once: right, or what went wrong.
# 3. The check tries your function on fresh random numbers and many sizes. When it says "right",
#    you can trust it.
# 4. Stuck? Unfold *Need a hint?* under the check, or call `hint(sigmoid)`. Each call gives one
#    more.
#
# Nothing can break. Run the checks as often as you like.

# %%
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

from lstm_lab import LSTM
from lstm_lab.labs.gates import check, hint, progress
from lstm_lab.notebook import line_of, show, use_style

use_style()

# %% [markdown]
# ## Notation
#
# A batch holds $B$ sequences. The input has $D$ numbers at every step, and the LSTM has $H$ cells.
# One step goes from time $t-1$ to time $t$.
#
# | Letter | In the code | What it is | Shape | Range |
# |:--|:--|:--|:--|:--|
# | $x_t$ | `x` | the input at this step | (B, D) | any |
# | $\textcolor{#855C00}{h_{t-1}}$ | `h` | the hidden state before the step | (B, H) | −1 to 1 |
# | $c_{t-1}$ | `c` | the cell state, the memory itself, before the step | (B, H) | any |
# | $\textcolor{#007253}{i_t}$ | `i` | the input gate | (B, H) | 0 to 1 |
# | $\textcolor{#A64900}{f_t}$ | `f` | the forget gate | (B, H) | 0 to 1 |
# | $\textcolor{#005787}{o_t}$ | `o` | the output gate | (B, H) | 0 to 1 |
# | $\textcolor{#8B5272}{g_t}$ | `g` | the candidate, or input modulation gate | (B, H) | −1 to 1 |
# | $c_t$ | `c_new` | the cell state after the step | (B, H) | any |
# | $\textcolor{#855C00}{h_t}$ | `h_new` | the hidden state after the step | (B, H) | −1 to 1 |
# | $W$ | `W` | weights of the input | (H, D) | any |
# | $U$ | `U` | weights of the hidden state | (H, H) | any |
# | $b$ | `b` | bias | (H,) | any |
#
# Each of $i$, $f$, $o$ and $g$ has a $W$, a $U$ and a $b$ of its own: $W_i$, $U_i$, $b_i$, and so
# on.

# %% [markdown]
# ## Exercise 1 · The sigmoid
#
# A gate is a valve. It needs a number between 0 (shut) and 1 (open). The sigmoid makes one out of
# any number $z$:
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# There is a catch. For $z = -1000$ the formula asks for $e^{1000}$. No float64 can hold that: it
# ends at about $1.8 \cdot 10^{308}$, and $e^{710}$ is past it. NumPy then warns of an overflow.
#
# **Write a sigmoid that is right for every $z$, from −1000 to 1000, with no warning.** First get
# the formula right. Then see what the check says.

# %%
def sigmoid(z):
    """Squash every number of an array into the range from 0 to 1.

    z : array of any shape.
    Returns s : array of the same shape.
    """
    ### BEGIN SOLUTION
    # tanh never overflows, and sigmoid(z) is tanh(z / 2), shrunk and shifted.
    s = 0.5 + 0.5 * np.tanh(0.5 * z)
    ### END SOLUTION
    return s


# %%
check(sigmoid)

# %% [markdown]
# ## Exercise 2 · The forget gate
#
# The forget gate decides, for every cell, how much of the old memory stays. It looks at the input
# and at the hidden state from the previous step:
#
# $$\textcolor{#A64900}{f_t} = \sigma(W_f\, x_t + U_f\, \textcolor{#855C00}{h_{t-1}} + b_f)$$
#
# You may have read that this gate decides *whether* a cell is forgotten. It does not:
# $\textcolor{#A64900}{f_t}$ is not a yes or no. It is a real number between 0 and 1 for each cell,
# such as 0.93, and it says *how much* is kept.
#
# The formula is written for one sequence, where $x_t$ is a column. In the code, `x` has the shape
# (B, D), with one sequence in each **row**. The result has the shape (B, H). Making the shapes fit
# is your part.

# %%
def forget_gate(x, h, weights):
    """The forget gate: how much of the old memory each cell keeps.

    x : (B, D) input.
    h : (B, H) hidden state of the step before.
    weights : the triple W (H, D), U (H, H), b (H,).
    Returns f : (B, H).
    """
    W, U, b = weights
    ### BEGIN SOLUTION
    f = sigmoid(x @ W.T + h @ U.T + b)
    ### END SOLUTION
    return f


# %%
check(forget_gate)

# %% [markdown]
# **Think.** Let $W_f$ and $U_f$ be zero. What is $\textcolor{#A64900}{f_t}$ when $b_f = 0$, and
# what when $b_f = 5$?
#
# <details><summary>Answer</summary>
#
# σ(0) = 0.5: half of the memory is lost at every step. σ(5) ≈ 0.993: less than one hundredth is
# lost. You will see both at the end of this lab.
#
# </details>

# %% [markdown]
# ## Exercise 3 · The input gate and the candidate
#
# Now something new is to be written. Two things take part:
#
# $$\textcolor{#007253}{i_t} = \sigma(W_i\, x_t + U_i\, \textcolor{#855C00}{h_{t-1}} + b_i) \qquad
# \textcolor{#8B5272}{g_t} = \tanh(W_g\, x_t + U_g\, \textcolor{#855C00}{h_{t-1}} + b_g)$$
#
# - The **candidate** $\textcolor{#8B5272}{g_t}$ is *what* could be written. It lies between −1
#   and 1, so it can also take something away.
# - The **input gate** $\textcolor{#007253}{i_t}$ is *how much* of it is written. It lies between
#   0 and 1.
#
# Return both, the gate first. Do not multiply them yet.

# %%
def input_and_candidate(x, h, weights_i, weights_g):
    """The input gate, and the candidate that it will let in.

    x : (B, D) input.
    h : (B, H) hidden state of the step before.
    weights_i, weights_g : each a triple W (H, D), U (H, H), b (H,).
    Returns i : (B, H) and g : (B, H).
    """
    ### BEGIN SOLUTION
    W_i, U_i, b_i = weights_i
    W_g, U_g, b_g = weights_g
    i = sigmoid(x @ W_i.T + h @ U_i.T + b_i)
    g = np.tanh(x @ W_g.T + h @ U_g.T + b_g)
    ### END SOLUTION
    return i, g


# %%
check(input_and_candidate)

# %% [markdown]
# ## Exercise 4 · The cell update
#
# Here is the heart of the LSTM. The new memory is what is kept of the old one, plus what is newly
# written:
#
# $$c_t = \textcolor{#A64900}{f_t} \odot c_{t-1}
# + \textcolor{#007253}{i_t} \odot \textcolor{#8B5272}{g_t}$$
#
# The sign $\odot$ means: element by element. Each cell has valves of its own and does
# not see the others here.
#
# (The LSTM of 1997 had no forget gate. It kept the old memory in full, at every step. The forget
# gate came in 1999, from Gers, Schmidhuber and Cummins.)
#
# Return a **new** array. Leave `c` as it was.

# %%
def cell_update(c, f, i, g):
    """The memory after the step.

    c : (B, H) memory before the step.
    f, i, g : (B, H) forget gate, input gate, candidate.
    Returns c_new : (B, H).
    """
    ### BEGIN SOLUTION
    c_new = f * c + i * g
    ### END SOLUTION
    return c_new


# %%
check(cell_update)

# %% [markdown]
# ## Exercise 5 · The output gate and the hidden state
#
# The memory can grow to any size. The rest of the network does not see it as it is. It sees the
# hidden state: the memory, squashed by tanh, and scaled by the output gate.
#
# $$\textcolor{#005787}{o_t} = \sigma(W_o\, x_t + U_o\, \textcolor{#855C00}{h_{t-1}} + b_o) \qquad
# \textcolor{#855C00}{h_t} = \textcolor{#005787}{o_t} \odot \tanh(c_t)$$
#
# So the output gate alone does not determine the output. It is one of two factors: with
# $\tanh(c_t) = 0$ nothing comes out, however open the gate is.

# %%
def hidden_state(x, h, c_new, weights):
    """The output gate, and the hidden state after the step.

    x : (B, D) input.
    h : (B, H) hidden state of the step before.
    c_new : (B, H) memory after the step.
    weights : the triple W (H, D), U (H, H), b (H,).
    Returns o : (B, H) and h_new : (B, H).
    """
    ### BEGIN SOLUTION
    W, U, b = weights
    o = sigmoid(x @ W.T + h @ U.T + b)
    h_new = o * np.tanh(c_new)
    ### END SOLUTION
    return o, h_new


# %%
check(hidden_state)

# %% [markdown]
# ## Exercise 6 · A whole step
#
# Put your parts together. The weights come in a dictionary with the keys `"i"`, `"f"`, `"o"` and
# `"g"`. Under each key lies a triple `(W, U, b)`.
#
# Think about the order. What has to be there before the memory can be updated? What has to be
# there before the hidden state can be computed?

# %%
def lstm_step(x, h, c, weights):
    """One step of the LSTM.

    x : (B, D) input.
    h, c : (B, H) hidden state and memory before the step.
    weights : dict; weights["i"], weights["f"], weights["o"] and
        weights["g"] are triples W (H, D), U (H, H), b (H,).
    Returns h_new : (B, H) and c_new : (B, H).
    """
    ### BEGIN SOLUTION
    f = forget_gate(x, h, weights["f"])
    i, g = input_and_candidate(x, h, weights["i"], weights["g"])
    c_new = cell_update(c, f, i, g)
    o, h_new = hidden_state(x, h, c_new, weights["o"])
    ### END SOLUTION
    return h_new, c_new


# %%
check(lstm_step)

# %% [markdown]
# ## Your LSTM beside the library's
#
# An LSTM is this step, repeated. The function below carries your two states from step to step. It
# is written for you: read it.

# %%
def run(step, xs, weights):
    """Carry h and c through a sequence, starting from zeros.

    xs : (T, B, D) inputs, T steps of them.
    Returns hs : (T, B, H) and cs : (T, B, H).
    """
    cells = len(weights["f"][2])
    h = c = np.zeros((xs.shape[1], cells))
    hs, cs = [], []
    for x in xs:
        h, c = step(x, h, c, weights)
        hs.append(h)
        cs.append(c)
    return np.array(hs), np.array(cs)


# %% [markdown]
# Each gate of a layer has a name, and gives its own weights: `weight_x` is $W$, `weight_h` is
# $U$, `bias` is $b$. So your step works with the very same weights as the layer.

# %%
lstm = LSTM(
    input_size=2, hidden_size=6, seed=1, dtype="float64", backend="numpy"
)
names = {
    "i": "input_gate", "f": "forget_gate", "o": "output_gate", "g": "candidate"
}
weights = {}
for letter, name in names.items():
    gate = lstm.gate(name)  # W is (H, D), U is (H, H), b is (H,)
    weights[letter] = gate.weight_x, gate.weight_h, gate.bias

xs = np.random.default_rng(2).normal(size=(50, 3, 2))  # (T, B, D)
y, trace = lstm.forward(xs)

if check(lstm_step):
    hs, cs = run(lstm_step, xs, weights)
    gap = max(abs(hs - trace.hidden).max(), abs(cs - trace.cell).max())
    assert gap < 1e-6
    print(f"50 steps, 3 sequences, 6 cells. Largest gap: {gap:.0e}")
    print("Your LSTM and the library's are the same function.")
else:
    print("Not done yet: your LSTM runs here when lstm_step is right.")

# %% [markdown]
# ## Your memory, fading or holding
#
# One cell, one input. At step 5 the input is 1: the input gate opens and writes into the memory.
# After that the input is 0, and nothing more is written. How long does the memory last?
#
# Only one number is changed between the curves: the bias $b_f$ of the forget gate. With $W_f$ and
# $U_f$ at zero, the gate stays at $f = \sigma(b_f)$, and each step multiplies the memory by $f$.


# %%
def one_cell(forget_bias):
    """Weights of one cell (D = H = 1) that writes when the input is 1."""

    def triple(w, b):
        return np.array([[w]]), np.zeros((1, 1)), np.array([b])

    return {
        "i": triple(20.0, -10.0),  # shut, and open when x = 1
        "f": triple(0.0, forget_bias),
        "o": triple(0.0, 5.0),  # open
        "g": triple(4.0, 0.0),  # nearly 1 when x = 1, else 0
    }


# %%
lines = {0.0: ":", 1.0: "-.", 3.0: "--", 5.0: "-"}
pulse = np.zeros((100, 1, 1))
pulse[5] = 1.0

if check(lstm_step):
    fig, ax = plt.subplots()
    halved = []
    for bias, line in lines.items():
        _, cs = run(lstm_step, pulse, one_cell(bias))
        memory = cs[:, 0, 0]
        f = memory[6] / memory[5]  # what one step leaves
        assert np.isclose(memory[55], memory[5] * f**50)
        half = np.log(0.5) / np.log(f)  # steps until half is left
        halved.append(f"{half:.0f} (bias {bias:.0f})")
        label = f"$b_f$ = {bias:.0f},  f = {f:.3f}"
        look = line_of("c", linestyle=line, linewidth=2, label=label)
        ax.plot(memory, **look)
    ax.set(xlabel="step t", ylabel="memory c", ylim=(0, 1.05))
    fig.legend(loc="outside right center")
    told = "Steps until half of it is left: " + ", ".join(halved) + "."
    alt = (
        "Four curves of the memory over 100 steps. All jump from 0 to about "
        f"1 at step 5, then fade, the slower the larger the bias. {told}"
    )
    display(show(fig, alt))
    print(told)
else:
    print("Not done yet: your memory is drawn when lstm_step is right.")

# %% [markdown]
# **Think.** About how many steps does a memory last when $f = 1 - 1/T$?
#
# <details><summary>Answer</summary>
#
# About T steps: after T of them (1 − 1/T)<sup>T</sup> is left, which is near 1/e, or 37 %. This is
# why the forget gate must come very near to 1, and why its bias is worth a thought before training
# (Gers et al. 2000; Tallec and Ollivier 2018).
#
# </details>

# %% [markdown]
# ## How far you are

# %%
progress()

# %%
### BEGIN HIDDEN TESTS
assert progress().complete
### END HIDDEN TESTS

# %% [markdown]
# A solution to every exercise is in [the solved lab](solved/01-gates.ipynb). Look at it after you
# have tried: there is more than one right way.
#
# Sources: S. Hochreiter and J. Schmidhuber, *Long short-term memory*, 1997,
# [doi:10.1162/neco.1997.9.8.1735](https://doi.org/10.1162/neco.1997.9.8.1735). F. A. Gers,
# J. Schmidhuber and F. Cummins, *Learning to forget*, 2000,
# [doi:10.1162/089976600300015015](https://doi.org/10.1162/089976600300015015). C. Tallec and
# Y. Ollivier, *Can recurrent neural networks warp time?*, 2018,
# [arXiv:1804.11188](https://arxiv.org/abs/1804.11188).
