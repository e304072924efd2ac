"""What goes wrong outside this package: in the program, or in a store."""


class FtleError(RuntimeError):
    """The program failed, is missing, or a store cannot be read.

    Attributes
    ----------
    code : int or None
        The program's exit code: 1 fault, 2 usage or spec, 4 cancelled at its broker, 130 interrupted; negative: the
        signal that ended it. None if it was not the program that failed.
    """

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code
