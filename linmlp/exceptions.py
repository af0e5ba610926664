"""Errors and warnings shared between rooms."""


class InputError(ValueError):
    """What the user gave cannot be used; the message says what was seen, what was wanted and what to do."""


class StructureError(InputError):
    """A structure cannot be used (not a structure, no atoms, atoms on top of each other, a broken cell)."""


class LabelError(InputError):
    """Energies, forces or stresses are missing, of the wrong shape or not finite."""


class ModelFileError(InputError):
    """A model file is broken, foreign or of an unknown schema."""


class ExportError(InputError):
    """A file for another program would not give what the potential gives."""


class SettingsError(InputError):
    """A setting has a value or a combination of values that cannot be used."""


class LinmlpWarning(UserWarning):
    """Something works, but probably not as the user expects."""
