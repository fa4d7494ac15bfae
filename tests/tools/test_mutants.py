from dataclasses import replace

import pytest

from tools.mutants import MUTANTS, dies


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_fault_is_noticed(mutant):
    assert dies(mutant), f"{mutant.test} passed although {mutant.name}"


def test_it_is_the_fault_that_is_noticed():
    """The same tests on a copy without the fault pass, also after one that had it."""
    mutant = MUTANTS[0]
    assert dies(mutant)
    assert not dies(replace(mutant, new=mutant.old))
