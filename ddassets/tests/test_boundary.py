"""The boundary of file access belongs to the thread of a command, and to the threads that it starts."""

import threading

import pytest

from ddassets import boundary
from ddassets.org.concurrency import map_concurrently


@pytest.fixture
def folders(tmp_path):
    found = [tmp_path / 'a', tmp_path / 'b']
    for folder in found:
        folder.mkdir()
        (folder / 'file.json').write_text('{}')
    return found


def test_two_commands_at_the_same_time_keep_their_boundaries(folders):
    together, seen = threading.Barrier(2), {}

    def command(own, other):
        with boundary.within([own]):
            together.wait(10)
            seen[own.name] = boundary.is_inside(own / 'file.json'), boundary.is_inside(other / 'file.json')
            together.wait(10)

    threads = [threading.Thread(target=command, args=pair) for pair in (folders, folders[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert seen == {'a': (True, False), 'b': (True, False)}
    assert all(boundary.is_inside(folder) for folder in folders)


def test_the_threads_of_a_command_have_its_boundary(folders):
    own, other = folders
    with boundary.within([own]):
        assert map_concurrently(boundary.is_inside, [own / 'file.json', other / 'file.json']) == [True, False]
