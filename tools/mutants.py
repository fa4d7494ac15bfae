"""Do the tests notice? Plant one fault at a time in a copy of the library, and run a test on it.

``python -m tools.mutants`` prints which mutants died, and by which test.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECURRENT = "tests/layers/test_recurrent.py"
PACKING = "tests/layers/test_packing.py"
VARIANTS = "tests/cells/test_variants.py"
OPTIONS = "tests/layers/test_step_options.py"
CTC = "tests/losses/test_ctc.py"


@dataclass(frozen=True)
class Mutant:
    """``old`` becomes ``new`` in a file of the library, and ``test`` must then fail."""

    name: str
    file: str
    old: str
    new: str
    test: str


MUTANTS = [
    Mutant(
        "input and forget gate swapped",
        "cells/lstm.py",
        "o, i, f, g = gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3]",
        "o, f, i, g = gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3]",
        f"{RECURRENT}::test_the_trace_obeys_the_equations",
    ),
    Mutant(
        "the same swap, against torch's golden file",
        "cells/lstm.py",
        "o, i, f, g = gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3]",
        "o, f, i, g = gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3]",
        "tests/layers/test_torch_parity.py::test_against_the_golden_file",
    ),
    Mutant(
        "the cell gradient is not carried back",
        "cells/lstm.py",
        "    np.multiply(dcell, gates[:, 2], out=carry)",
        "    carry[...] = 0",
        f"{RECURRENT}::test_gradients_at_the_edges",
    ),
    Mutant(
        "the hidden gradient does not reach the cell",
        "cells/lstm.py",
        "    dcell *= dhidden",
        "    dcell *= 0",
        f"{RECURRENT}::test_gradients_at_the_edges",
    ),
    Mutant(
        "the reverse direction is not put back in order",
        "layers/sequence.py",
        "                places[s].set(y, states[0][1:, s].transpose(0, 2, 1), half)",
        "                places[0].set(y, states[0][1:, s].transpose(0, 2, 1), half)",
        f"{RECURRENT}::test_the_reverse_direction_reads_from_each_sequences_own_end",
    ),
    Mutant(
        "lengths are ignored",
        "_validation.py",
        "    if lengths is None:",
        "    if True:",
        f"{RECURRENT}::test_padding_changes_nothing",
    ),
    Mutant(
        "the reverse direction starts in the padding",
        "layers/packing.py",
        "            times = lengths - 1 - times",
        "            times = self.lengths.max() - 1 - times",
        f"{RECURRENT}::test_a_sequence_does_not_see_its_neighbours",
    ),
    Mutant(
        "what is computed past a sequence's end has a gradient",
        "layers/packing.py",
        "            values[self.repeated] = 0",
        "            pass",
        f"{PACKING}::test_cuts_change_nothing",
    ),
    Mutant(
        "the gradient of a final state comes at the segment's end, not at the sequence's",
        "layers/sequence.py",
        "if stop == length}",
        "if stop == length}\n        arriving = {length: slice(0, n)}",
        f"{PACKING}::test_cuts_change_nothing",
    ),
    Mutant(
        "the final state is that of the segment's end",
        "layers/sequence.py",
        "    if not packing.ragged or (ends == length).all():",
        "    if True:",
        f"{PACKING}::test_cuts_change_nothing",
    ),
    Mutant(
        "a stepper follows the layer's parameters",
        "layers/recurrent.py",
        "[w.copy() for w in",
        "[w for w in",
        "tests/layers/test_stepper.py::test_parameters_that_change_later_change_nothing",
    ),
    Mutant(
        "the initial state is ignored",
        "layers/sequence.py",
        "                running[0] = initial[..., :n]",
        "                running[0] = 0 * initial[..., :n]",
        f"{RECURRENT}::test_chunks_with_the_state_carried_are_one_run",
    ),
    Mutant(
        "the final state's gradient is ignored",
        "layers/recurrent.py",
        '        dstates = self._unpack(dstate, "dstate", packing.batch)',
        '        dstates = self._unpack(None, "dstate", packing.batch)',
        f"{RECURRENT}::test_gradients_at_the_edges",
    ),
    Mutant(
        "GRU: the reset gate stays outside the recurrent product's bias",
        "cells/gru.py",
        "    np.multiply(r, q, out=hidden)",
        "    np.multiply(r, recurrent[:, 2], out=hidden)",
        "tests/layers/test_torch_parity.py::test_against_the_golden_file",
    ),
    Mutant(
        "GRU: the reset gate before the product does nothing",
        "cells/gru_variants.py",
        "    np.multiply(gates[:, 1], hidden_before, out=reset_hidden)",
        "    reset_hidden[...] = hidden_before",
        f"{VARIANTS}::test_the_reset_gate_before_the_product",
    ),
    Mutant(
        "GRU: no gradient reaches the state through its reset gate",
        "layers/steps_with_options.py",
        "                xp.add(dsource, dreset, out=dsource)",
        "                pass",
        f"{VARIANTS}::test_a_gru_with_its_reset_gate_before_the_product_in_torch",
    ),
    Mutant(
        "GRU: the gradient of U_n is taken with the state that was not reset",
        "layers/steps_with_options.py",
        "columns[self.rows(cell.reset.blocks)] @ (reset * source)",
        "columns[self.rows(cell.reset.blocks)] @ (reset**0 * source)",
        f"{VARIANTS}::test_a_gru_with_its_reset_gate_before_the_product_in_torch",
    ),
    Mutant(
        "projection: its gradient sees only the step's own output",
        "layers/steps_with_options.py",
        "            dh += dh_carried\n            doutput = dh\n            if self.projected:",
        "            doutput = dh + dh_carried\n            if self.projected:",
        f"{OPTIONS}::test_a_projection_is_torchs",
    ),
    Mutant(
        "projection: the cell's gradient is that of the projected state",
        "layers/steps_with_options.py",
        "                doutput = dunprojected",
        '                doutput = saved["unprojected"]',
        f"{OPTIONS}::test_a_projection_is_torchs",
    ),
    Mutant(
        "normalisation: the gradient passes as if mean and deviation were constants",
        "layers/normal.py",
        "    d -= normal * along\n",
        "",
        f"{OPTIONS}::test_against_an_independent_writing",
    ),
    Mutant(
        "normalisation: each gate by itself",
        "layers/steps_with_options.py",
        '                normalise(xp, saved["normal_h"], saved["scale_h"])',
        '                normalise(xp, saved["normal_h"][:, : self.hidden], saved["scale_h"])',
        f"{OPTIONS}::test_against_an_independent_writing",
    ),
    Mutant(
        "normalisation: the cell state is shown as it is",
        "layers/steps_with_options.py",
        '                normalise(xp, saved["normal_c"], saved["scale_c"])',
        '                saved["scale_c"][...] = 1',
        f"{OPTIONS}::test_against_an_independent_writing",
    ),
    Mutant(
        "normalisation: sigmoids' gains are not folded",
        "layers/steps_with_options.py",
        "self.cell.fold(g, self.hidden, slice(None)) for g in gains",
        "g for g in gains",
        f"{OPTIONS}::test_against_an_independent_writing",
    ),
    Mutant(
        "recurrent dropout: U's gradient is taken with the whole state",
        "layers/steps_with_options.py",
        "            source = source * self.mask[s, :, : source.shape[-1]]",
        "            pass",
        f"{OPTIONS}::test_against_an_independent_writing",
    ),
    Mutant(
        "recurrent dropout: the gradient passes where the value was dropped",
        "layers/steps_with_options.py",
        "                xp.multiply(dsource, mask, out=dsource)",
        "                pass",
        f"{OPTIONS}::test_against_an_independent_writing",
    ),
    Mutant(
        "recurrent dropout: in evaluation too",
        "layers/recurrent.py",
        "if self.recurrent_dropout and rng is not None:",
        "if self.recurrent_dropout and (rng := rng or np.random.default_rng()):",
        f"{OPTIONS}::test_recurrent_dropout_is_one_mask_for_a_sequence",
    ),
    Mutant(
        "recurrent dropout: a mask that all sequences share",
        "layers/recurrent.py",
        "        shape = (self.directions, packing.batch, self.state_sizes[0])",
        "        shape = (self.directions, 1, self.state_sizes[0])",
        f"{OPTIONS}::test_recurrent_dropout_is_one_mask_for_a_sequence",
    ),
    Mutant(
        "truncated: the gradient passes through a chain",
        "layers/steps_with_options.py",
        "                dsource[...] = 0",
        "                multiply(drecurrent, dsource)",
        f"{OPTIONS}::test_truncated_gradients_stop_at_the_gates_of_every_chain",
    ),
    Mutant(
        "attention looks into the padding",
        "layers/attention.py",
        "            scores = xp.where(valid[:, None], scores, -np.inf)",
        "            pass",
        "tests/layers/test_attention.py::test_the_equations",
    ),
    Mutant(
        "cross-entropy divides by all, not by what counts",
        "losses/elementwise.py",
        "    count = _total(weights)\n    weights = weights / count\n",
        "    count = _total(weights)\n    weights = weights / weights.size\n",
        "tests/losses/test_losses.py::test_values_by_hand",
    ),
    Mutant(
        "ONNX: the gates of W in torch's order",
        "interchange/onnx/cells.py",
        'INPUT_ORDER = {"LSTM": (1, 0, 2, 3)',
        'INPUT_ORDER = {"LSTM": (1, 2, 0, 3)',
        "tests/interchange/test_onnx.py::test_onnxruntime_agrees",
    ),
    Mutant(
        "ONNX: the recurrent half of the bias is dropped",
        "interchange/onnx/cells.py",
        '"bias": reordered(outer + inner, input_back)',
        '"bias": reordered(outer, input_back)',
        "tests/interchange/test_onnx.py::test_a_node_runs_as_in_onnxruntime",
    ),
    Mutant(
        "ONNX: the reverse direction starts in the padding",
        "interchange/onnx/run.py",
        "given_x, _ = turn.forward(given_x, lengths=lengths)",
        "given_x, _ = turn.forward(given_x)",
        "tests/interchange/test_onnx.py::test_a_node_runs_as_in_onnxruntime",
    ),
    Mutant(
        "ONNX: every GRU has its reset gate after the product",
        "interchange/onnx/cells.py",
        'options["reset_after"] = node.linear_before_reset',
        'options["reset_after"] = True',
        "tests/interchange/test_onnx.py::test_node",
    ),
    Mutant(
        "CTC: a path leaps between equal labels",
        "losses/ctc.py",
        "np.where(labels[:, 3::2] != labels[:, 1:-2:2], 0, NEVER)",
        "0",
        f"{CTC}::test_every_path_is_counted_once",
    ),
    Mutant(
        "CTC: no path begins without a blank",
        "losses/ctc.py",
        "    reach[0, :, :2] = 0",
        "    reach[0, :, :1] = 0",
        f"{CTC}::test_every_path_is_counted_once",
    ),
    Mutant(
        "CTC: β begins in the padding",
        "losses/ctc.py",
        "np.where(t < frames, frames - 1 - t, t)",
        "self.steps - 1 - t + 0 * frames",
        f"{CTC}::test_every_path_is_counted_once",
    ),
    Mutant(
        "a batch counts by its sequences, not by what the loss says",
        "training/objective.py",
        "value if isinstance(value, Mean) else Mean(value, batch.weight)",
        "Mean(value, len(batch.rows))",
        "tests/test_objective.py::test_the_loss_does_not_depend_on_the_batch_size",
    ),
    Mutant(
        "CTC in a training does not hear of lengths",
        "training/objective.py",
        '            more["lengths"] = leading(batch.lengths)',
        "            pass",
        "tests/test_objective.py::test_ctc_hears_of_lengths",
    ),
    Mutant(
        "padding is part of a linear layer's gradient",
        "layers/packing.py",
        "    return backend.index(packing.inside) if packing.ragged else None",
        "    return None",
        "tests/layers/test_padding.py::test_nothing_of_the_padding_is_seen",
    ),
    Mutant(
        "a mask is lost",
        "_validation.py",
        "        masked = int(np.ma.count_masked(values))",
        "        masked = 0",
        "tests/data/test_windows.py::test_masked_values_are_not_read_as_numbers",
    ),
    Mutant(
        "CTC: the gradient is the sum's, the value the mean",
        "losses/ctc.py",
        "xp.where(shown, gradient / number, 0)",
        "xp.where(shown, gradient, 0)",
        f"{CTC}::test_gradients_agree_with_finite_differences",
    ),
    Mutant(
        "CTC: the frame's own factor is in β too",
        "losses/ctc.py",
        "        both = log_alpha + log_beta",
        "        both = log_alpha + log_beta + emission",
        f"{CTC}::test_value_and_gradient_are_torchs",
    ),
    Mutant(
        "CTC: repeated labels need no frame between them",
        "losses/ctc.py",
        "return self.states // 2 + self.repeats",
        "return self.states // 2",
        f"{CTC}::test_impossible_targets",
    ),
    Mutant(
        "CTC: repeats are merged after the blanks are dropped",
        "losses/ctc.py",
        "[label for label, _ in groupby(labels.tolist()) if label != blank]",
        "[label for label, _ in groupby(k for k in labels.tolist() if k != blank)]",
        f"{CTC}::test_collapse",
    ),
    Mutant(
        "CTC: the best path may not end on a label",
        "losses/ctc.py",
        "max((end, end - 1), key",
        "max((end,), key",
        f"{CTC}::test_the_best_path_is_the_best",
    ),
    Mutant(
        "kept gradients: that of the normalised cell state in place of the cell state's",
        "layers/steps_with_options.py",
        'return dh, local["dcell_whole"]',
        'return dh, local["dcell"]',
        "tests/layers/test_gradient_trace.py::test_of_the_cell_state",
    ),
    Mutant(
        "kept gradients: a GRU's dh after its cell has written to it",
        "layers/steps.py",
        "            step(d, gates, past)",
        "            step(d, gates, past); dh[...] = past",
        "tests/layers/test_gradient_trace.py::test_of_the_hidden_state",
    ),
    Mutant(
        "a gate's rows of U are those of its block, wherever the product goes",
        "layers/recurrent.py",
        "fed_by_h.index(product)",
        "fed_by_h.index(product) - (product == 3)",
        "tests/layers/test_parameters.py::test_a_grus_gates_are_its_own",
    ),
    Mutant(
        "assigning a parameter puts another array in its place",
        "layers/parameters.py",
        "        array[...] = values\n",
        "        self._arrays[name] = values\n",
        "tests/layers/test_parameters.py::test_assigning_trains_in_place",
    ),
]


FORK_SERVER = """
import json, os, sys
import numpy, pytest
for name in ("hypothesis", "torch", "onnx", "onnxruntime", "scipy.linalg", "numba", "nbval.plugin"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        pass
for line in sys.stdin:
    copy, test, log = json.loads(line)
    child = os.fork()
    if not child:
        status = 99
        try:
            out = os.open(log, os.O_WRONLY | os.O_CREAT)
            os.dup2(out, 1), os.dup2(out, 2)
            os.chdir(copy)
            sys.path[:] = [copy, *sys.path]
            # The first failure is enough: it need not be made smaller.
            from hypothesis import Phase, settings
            settings.register_profile("mutants", phases=[Phase.explicit, Phase.generate])
            settings.load_profile("mutants")
            assert not [name for name in sys.modules if name.partition(".")[0] == "lstm_lab"]
            status = pytest.main(["-q", "-x", "-p", "no:cacheprovider", test])
            import lstm_lab
            if not lstm_lab.__file__.startswith(copy + os.sep):
                print("the library that was tested is", lstm_lab.__file__)
                status = 98
        finally:
            sys.stdout.flush()
            os._exit(status)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@cache
def fork_server() -> subprocess.Popen[str]:
    """A process that has imported what is large, and nothing of ours: each run is its fork."""
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    environment.pop("PYTHONPATH", None)
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", FORK_SERVER], cwd=tempfile.gettempdir(), env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    atexit.register(process.stdin.close)
    return process


def outcome(copy: Path, test: str) -> tuple[int, str]:
    """pytest's exit status on that copy of the project, in a process of its own, and its words."""
    log = copy / "log"
    if hasattr(os, "fork"):
        process = fork_server()
        print(json.dumps([str(copy), test, str(log)]), file=process.stdin, flush=True)
        status = int(process.stdout.readline() or 97)
    else:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
        environment = {**os.environ, "PYTHONPATH": str(copy)}
        with log.open("w") as file:
            status = subprocess.call(command, cwd=copy, env=environment, stdout=file, stderr=file)
    return status, log.read_text(encoding="utf-8", errors="replace")


def dies(mutant: Mutant) -> bool:
    """Whether the mutant's test fails on a copy of the library with the fault in it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve()
        for part in ("lstm_lab", "tests"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        target = copy / "lstm_lab" / mutant.file
        source = target.read_text(encoding="utf-8")
        if source.count(mutant.old) != 1:
            raise ValueError(f"{mutant.name}: {mutant.old!r} must stand once in {mutant.file}")
        target.write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")
        status, words = outcome(copy, mutant.test)
    # 1: tests ran and failed. Anything else, such as a file that cannot be read, proves nothing.
    if status not in (0, 1):
        raise RuntimeError(f"{mutant.name}: pytest stopped with {status}\n{words}")
    return status == 1


if __name__ == "__main__":
    survivors = 0
    for mutant in MUTANTS:
        dead = dies(mutant)
        survivors += not dead
        print(f"{'died    ' if dead else 'SURVIVED'}  {mutant.name}: {mutant.test}", flush=True)
    sys.exit(survivors > 0)
