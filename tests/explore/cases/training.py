"""How the tests try TrainingExplorer."""

from lstm_lab.explore import TrainingExplorer
from tests.explore.cases import Case


def shown(training):
    values = training.values()
    return [
        f"chance is {values['baseline']:.3f}",
        f"unseen sequences of {training.length} steps",
    ]


CASE = Case(
    TrainingExplorer,
    drag="length",
    shown=shown,
    still=frozenset({"learning_rate"}),
    kernel=True,
)
