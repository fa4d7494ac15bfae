import pytest

from tests.mutants import MUTANTS, dies


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_fault_is_noticed(mutant):
    assert dies(mutant), f"{mutant.test} passed although {mutant.name}"
