"""TrainingExplorer: the same as a plain loop, no runaway thread, one's own model, divergence."""

from __future__ import annotations

import math
import threading
import time

import numpy as np
import pytest
import traitlets

from lstm_lab import GRU, LSTM, LastStep, Linear, Sequential, losses, optim, tasks
from lstm_lab.explore import TrainingExplorer
from lstm_lab.explore.training.serialize import thinned
from lstm_lab.explore.training.trainer import BINS, COLUMNS, classic, readers
from tests.explore.page import eventually, go, picture, state, summary, text, words

QUICK = {"length": 24, "hidden": 4}
WILD = {"task": "adding", "optimizer": "SGD", "clipping": False, "learning_rate": 100, **QUICK}


def ours():
    return [t for t in threading.enumerate() if t.name == "TrainingExplorer"]


def until(condition, patience=20.0):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "nothing happens"
        time.sleep(0.01)


@pytest.fixture
def training():
    made = []

    def make(*args, **settings):
        made.append(TrainingExplorer(*args, **settings))
        return made[-1]

    yield make
    for widget in made:
        widget.close()
    until(lambda: not ours())


def plain_loop(updates, draw, model, optimizer, loss, clip):
    """What the reader would write."""
    values = []
    for k in range(updates):
        x, target, *lengths = draw(k)
        prediction, trace = model.forward(x, lengths=lengths[0] if lengths else None)
        value, gradient = loss(prediction, target)
        grads = model.backward(gradient, trace).params
        optim.clip_by_norm(grads, clip)
        optimizer.update(model.params, grads)
        values.append(value)
    return values


def test_it_is_a_plain_loop_bit_for_bit(training):
    for init in ("forget bias", "chrono"):
        biases = {"forget_bias": 2.0, "input_bias": -1.5}
        widget = training(init=init, seed=3, clip=0.05, optimizer="SGD", **biases, **QUICK)
        widget.train(12)
        start = {"forget_bias": 2.0}
        if init == "chrono":
            start = {"init": "chrono", "chrono_length": 24}
        model = Sequential(
            lstm=LSTM(8, 4, seed=3, **start), last=LastStep(), head=Linear(4, 4, seed=4)
        )
        if init == "forget bias":
            model.params["lstm.bias_l0"][4:8] = -1.5
        expected = plain_loop(
            12,
            lambda k: tasks.temporal_order(32, np.random.default_rng([3, k]), length=24),
            model, optim.SGD(0.02), losses.cross_entropy, 0.05,
        )  # fmt: skip
        assert widget.losses == expected
        assert max(widget.values()["norms"]) > 0.05
        for name, array in model.params.items():
            np.testing.assert_array_equal(widget.model.params[name], array)


def test_in_the_background_it_is_the_same(training):
    widget, other = training(**QUICK), training(**QUICK)
    widget.start()
    until(lambda: widget.updates >= 15)
    widget.stop()
    other.train(widget.updates)
    assert widget.losses == other.losses


def test_the_default_task_is_solved_by_chrono_and_not_with_a_forget_bias_of_one(training):
    chrono, one = training(init="chrono"), training()
    chrono.train(200)
    one.train(120)
    assert chrono.values()["right"] > 0.9
    assert chrono.values()["loss"] < 0.3
    assert one.values()["loss"] > 0.9 * math.log(4)


@pytest.mark.parametrize("task", ["temporal order", "first symbol", "adding"])
def test_its_numbers_are_the_librarys(task, training):
    widget = training(task=task, **QUICK)
    widget.train(5)
    values, run = widget.values(), widget._training
    x, target, lengths, _ = run.task.probe(24)
    prediction, trace = widget.model.forward(x, lengths=lengths)
    assert values["loss"] == run.task.loss(prediction, target)[0]
    inside = np.arange(len(x))[:, None] < (np.full(32, 24) if lengths is None else lengths)
    forget = trace["lstm"].forget_gate[inside]
    assert values["open"][0] == pytest.approx((forget > 0.9).mean())
    assert values["shut"][0] == pytest.approx((forget < 0.1).mean())
    counts = np.histogram(forget, BINS, (0, 1))[0]
    np.testing.assert_allclose(run.seen.histogram[0], counts / forget.size)
    assert (values["clipped"] <= np.minimum(values["norms"], 1.0)).all()
    constant = np.full((len(target), 1), 0.5, "float32")
    if task == "adding":
        assert values["baseline"] == pytest.approx(losses.mse(constant, target)[0], rel=0.6)
    else:
        assert values["baseline"] == math.log(4 if task == "temporal order" else 2)


def test_learning_rate_clip_and_length_change_while_it_trains(training):
    widget = training(**QUICK)
    widget.train(3)
    widget.clipping = False
    widget.train(1)
    assert widget.values()["clipped"][-1] == widget.values()["norms"][-1]
    widget.clipping, widget.clip = True, 0.001
    widget.train(1)
    assert widget.values()["clipped"][-1] == pytest.approx(0.001)
    before = widget.model.params["head.bias"].copy()
    widget.learning_rate = 1e-3
    widget.train(1)
    assert np.abs(widget.model.params["head.bias"] - before).max() <= 1.001e-3
    widget.length = 48
    assert widget.updates == 6
    assert widget._training.batch[0].shape[0] == 52


def test_what_decides_the_start_begins_anew_and_keeps_the_curve(training):
    widget = training(**QUICK)
    widget.train(12)
    curve = np.array(widget.losses)
    widget.forget_bias = 4.0
    assert widget.updates == 0
    past = np.frombuffer(widget._past, "<f4")
    assert past[0] == 12
    np.testing.assert_allclose(past[1:], curve, rtol=1e-6)
    assert "forget bias 1" in widget._told["before"]
    widget.input_bias = -4.0
    np.testing.assert_array_equal(widget.model.params["lstm.bias_l0"][4:12], [-4] * 4 + [4] * 4)
    widget.input_bias = 0.0
    widget.hidden = 7
    assert np.frombuffer(widget._past, "<f4")[0] == 12, "a training of no updates is no ghost"
    assert widget.model.params["lstm.weight_h_l0"].shape == (28, 7)
    np.testing.assert_array_equal(widget.model.params["lstm.bias_l0"][14:21], np.float32(4))


def test_columns_and_points_stay_few(training):
    widget = training(task="first symbol", length=24, hidden=1)
    run = widget._training
    for _ in range(3 * COLUMNS):
        run.losses.append(0.0)
        run._keep_column()
    assert len(run.columns) <= COLUMNS
    assert run.stride == 4
    assert (len(run.columns) - 1) * run.stride <= run.updates
    assert len(thinned(np.arange(1000), 400)) <= 400
    np.testing.assert_allclose(thinned(np.arange(7), 3), [1, 4, 6])
    assert len(thinned([], 400)) == 0


class TestThreads:
    def test_stop_and_close_end_it(self, training):
        for end in ("stop", "close"):
            widget = training(**QUICK)
            widget.start()
            until(lambda: widget.updates > 2)  # noqa: B023
            assert len(ours()) == 1
            widget.start()
            assert len(ours()) == 1, "a second thread"
            getattr(widget, end)()
            assert not ours()
            made = widget.updates
            time.sleep(0.05)
            assert widget.updates == made

    def test_it_rests_when_nobody_looks_and_goes_on_when_somebody_does(self, training, send):
        widget = training(**QUICK)
        widget.PATIENCE = 0.1
        widget.start()
        until(lambda: widget.status == "resting")
        until(lambda: not ours())
        widget.PATIENCE = 60
        hear(widget, alive=1)
        until(lambda: widget.status == "running" and ours())
        hear(widget, alive=1, do="pause")
        assert not ours()
        assert widget.status == "paused"
        hear(widget, alive=1)
        assert not ours(), "a sign of life alone starts nothing that was paused"

    def test_a_page_that_lives_keeps_it_running(self, training):
        widget = training(**QUICK)
        widget.PATIENCE = 0.2
        widget.start()
        for _ in range(20):
            time.sleep(0.03)
            hear(widget, alive=1)
        assert widget.status == "running"

    def test_it_takes_at_most_half_of_a_core(self, training):
        """The thread waits as long as it worked, however loaded the machine is."""
        widget, waits, works = training(**QUICK), [], []
        wait, update = widget._halt.wait, widget._update

        def timed():
            begin = time.monotonic()
            more = update()
            works.append(time.monotonic() - begin)
            return more

        widget._halt.wait = lambda seconds: waits.append(seconds) or wait(seconds)
        widget._update = timed
        widget.start()
        until(lambda: widget.updates > 20)
        widget.stop()
        assert all(w >= u for w, u in zip(waits, works, strict=False))

    def test_it_sends_at_most_twenty_times_a_second(self, training):
        widget, sent = training(**QUICK), []
        widget.observe(lambda _: sent.append(time.monotonic()), "_run")
        widget.start()
        until(lambda: widget.updates > 60)
        widget.stop()
        gaps = np.diff(sent)[:-1]
        assert (gaps > 0.045).all()

    def test_a_broken_loss_is_said_and_ends_it(self, training):
        def loss(prediction, target):
            if widget and widget[0].updates > 3:
                raise RuntimeError("my own mistake")
            return losses.mse(prediction, target)

        widget = []
        x = np.zeros((5, 8, 2), "float32")
        model = Sequential(lstm=LSTM(2, 3, seed=0), head=Linear(3, 1, seed=1))
        widget.append(training(model=model, x=x, target=np.zeros((5, 8, 1)), loss=loss))
        widget[0].start()
        until(lambda: not ours())
        assert widget[0].status == "diverged"
        assert "RuntimeError: my own mistake" in widget[0]._told["said"]

    def test_a_process_with_a_training_ends(self):
        """The thread is a daemon: a kernel that is stopped is not held up by it."""
        import subprocess
        import sys

        code = (
            "from lstm_lab.explore import TrainingExplorer as T\n"
            "w = T(length=24, hidden=2); w.start()\n"
            "print('ends')"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=100)
        assert done.stdout.strip() == b"ends"
        assert done.returncode == 0


def hear(widget, **content):
    data = {"method": "custom", "content": content}
    widget._handle_msg({"content": {"data": data}, "buffers": []})


class TestDivergence:
    def test_it_is_said_and_the_parameters_stay_finite(self, training):
        widget = training(**WILD)
        widget.train(400)
        assert widget.status == "diverged"
        assert "learning rate is 100" in widget._told["said"]
        assert all(np.isfinite(p).all() for p in widget.model.params.values())
        assert math.isfinite(widget._training.look().loss)
        values = widget.values()
        assert all(np.isfinite(values[name]).all() for name in ("losses", "norms", "loss"))
        made = widget.updates
        widget.start()
        assert widget.updates == made
        widget.restart()
        assert widget.status == "ready"
        widget.learning_rate = 0.01
        widget.train(2)
        assert widget.updates == 2

    def test_the_page_shows_it(self, training, show):
        widget = training(**WILD)
        widget.train(400)
        page = show(widget, kernel=True)
        assert "Diverged: " in text(page.locator(".ll-train-note"))
        assert "Diverged: " in summary(page)
        assert page.get_by_role("button", name="Train on").is_disabled()
        assert "NaN" not in words(page)


class TestOwnModel:
    def model(self, kind=LSTM):
        return Sequential(cell=kind(3, 5, seed=0), last=LastStep(), head=Linear(5, 2, seed=1))

    def data(self, n=50):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(12, n, 3)).astype("float32")
        return x, (x[0, :, 0] > 0).astype(int)

    def test_a_copy_is_trained(self, training):
        model, (x, target) = self.model(), self.data()
        before = {name: array.copy() for name, array in model.params.items()}
        widget = training(model=model, x=x, target=target)
        widget.train(60)
        for name, array in before.items():
            np.testing.assert_array_equal(model.params[name], array)
        assert widget.values()["loss"] < 0.5
        share = target.mean()
        entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
        assert widget.values()["baseline"] == pytest.approx(entropy)
        assert widget.setting.startswith("TrainingExplorer(model=model, x=x, target=target")

    def test_the_same_as_a_plain_loop(self, training):
        x, target = self.data()
        widget = training(model=self.model(), x=x, target=target, seed=5)
        widget.train(7)

        def draw(k):
            order = np.random.default_rng([5, k // 2]).permutation(50)
            rows = order[:32] if k % 2 == 0 else order[32:]
            return x[:, rows], target[rows]

        expected = plain_loop(7, draw, self.model(), optim.Adam(0.02), losses.cross_entropy, 1.0)
        assert widget.losses == expected

    @pytest.mark.parametrize("kind", [LSTM, GRU])
    def test_in_the_page(self, kind, training, show):
        x, target = self.data()
        widget = training(model=self.model(kind), x=x, target=target)
        widget.train(3)
        page = show(widget, kernel=True)
        assert "sequences are answered right" in summary(page)
        assert page.locator("input[data-name=hidden]").count() == 1
        assert not page.locator("input[data-name=hidden]").is_visible()
        go(page, "cell/f")
        assert summary(page)

    def test_per_step_targets_and_lengths(self, training, show):
        x = np.random.default_rng(0).normal(size=(9, 6, 2)).astype("float32")
        model = Sequential(lstm=LSTM(2, 3, seed=0), head=Linear(3, 2, seed=1))
        lengths = [9, 1, 4, 9, 2, 3]
        widget = training(model=model, x=x, target=np.cumsum(x, 0), lengths=lengths, example=2)
        widget.train(3)
        page = show(widget, kernel=True)
        assert "After 3 updates" in summary(page)

    def test_one_step_one_sequence(self, training, show):
        one = np.ones((1, 1, 1))
        widget = training(model=LSTM(1, 1, seed=0), x=one, target=one)
        widget.train(2)
        page = show(widget, kernel=True)
        assert "of 1 sequences" in summary(page)
        assert "NaN" not in words(page)

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"model": 3}, TypeError, "model: expected a layer, got int"),
            ({"model": None}, ValueError, "model: model, x and target come together"),
            ({"x": None}, ValueError, "x: model, x and target come together"),
            ({"loss": 3}, TypeError, "loss: expected a function"),
            ({"x": np.full((12, 50, 3), np.nan)}, ValueError, "x.* is nan"),
            ({"x": np.zeros((12, 50, 4), "float32")}, ValueError, "do not fit each other"),
            ({"target": np.zeros(7, int)}, ValueError, "target"),
        ],
    )
    def test_what_does_not_fit_is_said(self, change, error, message):
        x, target = self.data()
        with pytest.raises(error, match=message):
            TrainingExplorer(**{"model": self.model(), "x": x, "target": target, **change})

    def test_broken_weights(self):
        model, (x, target) = self.model(), self.data()
        model.params["head.bias"][0] = np.nan
        with pytest.raises(ValueError, match="model: head.bias holds NaN"):
            TrainingExplorer(model=model, x=x, target=target)

    def test_its_task_cannot_be_changed(self, training):
        x, target = self.data()
        widget = training(model=self.model(), x=x, target=target)
        with pytest.raises(traitlets.TraitError, match="task: expected one of 'own'"):
            widget.task = "adding"


def test_batches_of_a_readers_data_cover_every_epoch():
    x = np.arange(70, dtype="float32").reshape(1, 70, 1)
    task = readers(LSTM(1, 1), x, np.zeros((1, 70, 1)), None, losses.mse, 0)
    for epoch in range(2):
        seen = np.concatenate([task.draw(3 * epoch + k, 0)[0].ravel() for k in range(3)])
        assert sorted(seen) == list(range(70))
    assert classic("adding", 0)[1:] == (2, 1)


def test_the_best_constant_answer_leaves_out_the_padding():
    lengths, x = [1, 2], np.zeros((4, 2, 1), "float32")
    inside = np.arange(4)[:, None] < lengths
    target = np.where(inside, [[1, 0], [9, 1], [9, 9], [9, 9]], -7)
    model = Sequential(lstm=LSTM(1, 2, seed=0), head=Linear(2, 2, seed=1))
    task = readers(model, x, target, lengths, losses.cross_entropy, 0)
    assert task.baseline == pytest.approx(np.log(3) - 2 / 3 * np.log(2))
    values = np.where(inside, [[1, 0], [9, 2], [9, 9], [9, 9]], np.nan)[:, :, None]
    task = readers(Linear(1, 1, seed=0), x, values, lengths, losses.mse, 0)
    assert task.baseline == pytest.approx(np.var([1, 0, 2]))
    with pytest.raises(TypeError, match="loss: the picture gives a loss a mask"):
        readers(model, x, np.zeros((4, 2), int), lengths, losses.ctc, 0)


def test_the_sliders_of_the_biases_are_there_where_they_count(training, show):
    page = show(training(**QUICK))
    sliders = page.locator("input[data-name=forget_bias], input[data-name=input_bias]")
    assert [slider.is_visible() for slider in sliders.all()] == [True, True]
    page.locator("select[data-name=init]").select_option("chrono")
    assert [slider.is_visible() for slider in sliders.all()] == [False, False]


def test_training_by_the_buttons(training, show):
    widget = training(**QUICK)
    page = show(widget, kernel=True)
    before = picture(page)
    page.get_by_role("button", name="Step", exact=True).click()
    eventually(page, lambda: "After 1 update " in summary(page))
    assert picture(page) != before
    assert f"{widget.values()['loss']:.2f}" in summary(page)
    page.get_by_role("button", name="Train on").press("Enter")
    eventually(page, lambda: widget.updates > 10)
    page.kernel.push()
    page.get_by_role("button", name="Pause").press("Enter")
    eventually(page, lambda: not ours())
    made = widget.updates
    page.kernel.push()
    assert f"After {made} updates" in summary(page)
    page.get_by_role("button", name="Restart").click()
    eventually(page, lambda: "After 0 updates" in summary(page))
    assert np.frombuffer(widget._past, "<f4")[0] == made


def test_taking_the_view_away_pauses_it(training, show):
    widget = training(**QUICK)
    page = show(widget, kernel=True)
    page.get_by_role("button", name="Train").first.click()
    eventually(page, ours)
    page.evaluate("cleanups[0]()")
    eventually(page, lambda: not ours())


def test_closing_the_tab_lets_it_rest(training, show):
    widget = training(**QUICK)
    page = show(widget, kernel=True)
    page.get_by_role("button", name="Train").first.click()
    eventually(page, ours)
    widget.PATIENCE = 0.3
    page.goto("about:blank")
    until(lambda: not ours())
    assert widget.status == "resting"


def test_the_page_computes_the_step_that_the_kernel_has(training, show):
    widget = training(unit=2, step=9, **QUICK)
    widget.train(4)
    page = show(widget, kernel=True)
    go(page, "cell")
    x, _, lengths, _ = widget._training.batch
    _, trace = widget.model.forward(x, lengths=lengths)
    forget, cell = (getattr(trace["lstm"], n)[8, 0, 1] for n in ("forget_gate", "cell"))
    said = summary(page).replace("−", "-")
    assert f"Forget gate {forget:.2f}" in said
    assert f"the new cell state is {cell:.2f}" in said


def test_without_a_kernel_it_says_so(training, show):
    page = show(training(**QUICK))
    page.get_by_role("button", name="Train").click()
    page.get_by_text("needs its kernel").wait_for()
    assert state(page)["_told"]["status"] == "ready"
