import json

import numpy as np
import pytest

from linmlp.exceptions import ModelFileError
from linmlp.structures.baselines import ZBL, Baseline, baseline_from_state


def test_zbl_from_its_state():
    zbl = ZBL(["H", "O"], np.ones((2, 2)), np.full((2, 2), 2.0))
    assert isinstance(zbl, Baseline)
    again = baseline_from_state(json.loads(json.dumps(zbl.to_state())))
    assert isinstance(again, ZBL)
    assert again.cutoff == zbl.cutoff


def test_unknown_kind():
    with pytest.raises(ModelFileError, match="of kind 'magic'"):
        baseline_from_state({"kind": "magic"})
