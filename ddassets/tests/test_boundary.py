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


# Files of a folder without `.git`; the path on the command line; and the parts of the folder that it may read.
ROOTS = [
    pytest.param(['a/.ddassets.yaml'], 'a/rehearsals/x.yaml', 'a', id='scenario of init'),
    pytest.param(['a/.ddassets.yaml'], 'a/rehearsals', 'a', id='scenarios of init'),
    pytest.param(['a/.ddassets.yaml'], 'a/other/x.yaml', 'a/other', id='another folder'),
    pytest.param(['.ddassets.yaml'], 'a/rehearsals/x.yaml', 'a/rehearsals', id='configuration further above'),
    pytest.param(['a/disk.json'], 'a/rehearsals/x.yaml', 'a/rehearsals', id='no configuration'),
    pytest.param(['a/rehearsals/.ddassets.yaml'], 'a/rehearsals/x.yaml', 'a/rehearsals', id='its own configuration'),
    pytest.param(['a/.ddassets.yaml/file'], 'a/rehearsals/x.yaml', 'a/rehearsals', id='configuration is a folder'),
    pytest.param(['manifest.json', 'a/.ddassets.yaml'], 'a/rehearsals/x.yaml', '', id='integration'),
]


@pytest.mark.parametrize('files, given, root', ROOTS)
def test_the_root_without_git(files, given, root, tmp_path):
    for name in [*files, 'a/rehearsals/x.yaml', 'a/other/x.yaml', 'a/secret', 'secret']:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in ('a/rehearsals/link', 'a/link'):
        (tmp_path / name).symlink_to('/etc/passwd')
    with boundary.within([tmp_path / given]):
        for path in tmp_path.rglob('*'):
            expected = path.is_relative_to(tmp_path / root) and not path.is_symlink()
            assert boundary.is_inside(path) == expected, path
        assert not boundary.is_inside(tmp_path.parent / 'secret')


def test_a_link_named_rehearsals_is_judged_by_where_it_leads(tmp_path):
    """A checkout cannot widen its root by a link to another folder, nor by a configuration beside the link."""
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a' / '.ddassets.yaml').touch()
    (tmp_path / 'b' / 'scenarios').mkdir(parents=True)
    (tmp_path / 'b' / 'scenarios' / 'x.yaml').touch()
    (tmp_path / 'a' / 'rehearsals').symlink_to(tmp_path / 'b' / 'scenarios')
    with boundary.within([tmp_path / 'a' / 'rehearsals' / 'x.yaml']):
        assert not boundary.is_inside(tmp_path / 'a' / 'secret') and not boundary.is_inside(tmp_path / 'b' / 'secret')
