"""What can go wrong with a local cluster, and what to do about it."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(eq=False)
class ClusterError(Exception):
    """The cluster could not do that."""

    hint: ClassVar[str] = ""


@dataclass(eq=False)
class ClusterMissing(ClusterError):
    """The folder holds no cluster.

    Args:
        directory: The folder.
    """

    directory: str
    hint = "Make one with `kura cluster up --dir DIR --safes 5`."

    def __str__(self) -> str:
        """Name the folder."""
        return f"There is no cluster in {self.directory}."


@dataclass(eq=False)
class ClusterBusy(ClusterError):
    """Another command works on the cluster.

    Args:
        directory: The folder.
    """

    directory: str
    hint = "Wait for the other command to end, then try again."

    def __str__(self) -> str:
        """Name the folder."""
        return f"Another command is changing the cluster in {self.directory}."


@dataclass(eq=False)
class ClusterDiffers(ClusterError):
    """The cluster there has another shape than was asked for.

    Args:
        asked: What was asked for.
        found: What the folder's roster says.
    """

    asked: str
    found: str
    hint = "Leave the options out to bring up what is there, or name another folder."

    def __str__(self) -> str:
        """Give both."""
        return f"The cluster has {self.found}, not {self.asked}."


@dataclass(eq=False)
class ShapeImpossible(ClusterError):
    """No roster can have that shape.

    Args:
        problem: Why not.
    """

    problem: str
    hint = "Ask for 1 to 255 safes, and a threshold of at most as many."

    def __str__(self) -> str:
        """Give the reason."""
        return f"No cluster was made: {self.problem}."


@dataclass(eq=False)
class UnknownSafe(ClusterError):
    """The cluster has no safe of that name.

    Args:
        name: What was asked for.
        known: The names there are.
    """

    name: str
    known: tuple[str, ...]
    hint = "`kura cluster status --dir DIR` shows them."

    def __str__(self) -> str:
        """Name those there are."""
        return f"There is no safe {self.name!r}; there are {', '.join(self.known)}."


@dataclass(eq=False)
class SafeNotMade(ClusterError):
    """`python -m safe_node init` failed.

    Args:
        name: The safe.
        output: The end of what it said.
    """

    name: str
    output: str
    hint = "Mend what it names and run the same command again."

    def __str__(self) -> str:
        """Name the safe and quote it."""
        return f"The keys of {self.name} could not be made:\n{self.output}"


@dataclass(eq=False)
class SafeNotHealthy(ClusterError):
    """A safe ended, or did not become healthy in time.

    Args:
        name: The safe.
        problem: What was seen of it.
        log: The end of its log.
    """

    name: str
    problem: str
    log: str
    hint = "Mend what the log names and run the same command again."

    def __str__(self) -> str:
        """Name the safe, the problem and the end of the log."""
        return f"{self.name} {self.problem}. Its log ends:\n{self.log}"


@dataclass(eq=False)
class SafeNotStopped(ClusterError):
    """A process did not end in time.

    Args:
        name: The safe.
        seconds: How long was waited.
    """

    name: str
    seconds: float
    hint = "`kura cluster kill SAFE --dir DIR` ends it at once."

    def __str__(self) -> str:
        """Name the safe."""
        return f"{self.name} did not stop within {self.seconds:g} seconds."
