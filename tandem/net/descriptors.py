"""Limit of the files and sockets that this process may have open. Knows nothing of what is opened."""

from tandem.protocol.errors import TandemError

SPARE_DESCRIPTORS = 64  # for databases, the log and the rest
MIN_DESCRIPTORS = 64  # a server has about 20 open beside its connections, which may have half of the limit


class DescriptorLimitError(TandemError):
    """This process may not open enough files and sockets."""


def require_descriptors() -> None:
    """Raise the limit to MIN_DESCRIPTORS if it is lower.

    Raises:
        DescriptorLimitError: the system does not allow that.
    """
    limit = raise_descriptor_limit(MIN_DESCRIPTORS)
    if limit < MIN_DESCRIPTORS:
        raise DescriptorLimitError(
            f"this command needs {MIN_DESCRIPTORS} descriptors (open files and sockets), and the limit is {limit}",
            "a higher limit (ulimit -n 1024), as root if the system refuses it (ulimit -Hn shows the highest)",
        )


def raise_descriptor_limit(wanted: int) -> int:
    """Raise the limit to `wanted` descriptors, or as far as the system allows. Return how many of them there are."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):  # macOS allows a process less than its hard limit
        return soft
    return wanted


def max_connections(wanted: int) -> int:
    """Return how many of `wanted` connections this process may have open beside its files; at least half the limit."""
    descriptors = raise_descriptor_limit(wanted + SPARE_DESCRIPTORS)
    return min(wanted, max(descriptors - SPARE_DESCRIPTORS, descriptors // 2))
