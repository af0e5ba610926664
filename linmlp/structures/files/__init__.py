"""Files in, labelled structures out, and the way back."""

from linmlp.structures.files.detect import WRITTEN, output_format
from linmlp.structures.files.labelled import with_labels
from linmlp.structures.files.read import read_structures
from linmlp.structures.files.write import check_target, write_structures

__all__ = ["WRITTEN", "check_target", "output_format", "read_structures", "with_labels", "write_structures"]
