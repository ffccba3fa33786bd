import time

from .container import DockerContainer


def wait_for_logs(container: DockerContainer, predicate: str, timeout: float = 120) -> None:
    late = time.monotonic() + timeout
    while predicate.encode() not in container.get_logs()[0]:
        if time.monotonic() > late:
            raise TimeoutError(f"the container never says {predicate}")
        time.sleep(0.1)
