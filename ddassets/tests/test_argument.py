import shutil
import subprocess

import pytest

from ddassets import cli


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        *(
            pytest.param([command, ''], 'expected a path, found an empty text', id=f'{command}-an-unset-variable')
            for command in ('check', 'lint', 'rehearse', 'plan', 'apply', 'destroy', 'doctor')
        ),
        pytest.param(['check', '.', '--times', '0'], "a whole number from 1, found '0'", id='no-count'),
        pytest.param(['check', '.', '--timeout', '0'], "above 0, at most 86400, found '0'", id='no-time'),
        pytest.param(['check', '.', '--timeout', 'nan'], "above 0, at most 86400, found 'nan'", id='no-number'),
        pytest.param(['apply', '.', '--timeout', '3601'], "at most 3600, found '3601'", id='too-long'),
        pytest.param(['rehearse', '.', '--min-coverage', '-1'], "0 to 100, found '-1'", id='below-0'),
        pytest.param(['rehearse', '.', '--min-coverage', '101'], "0 to 100, found '101'", id='above-100'),
        pytest.param(['rehearse', '.', '--min-coverage', 'much'], "0 to 100, found 'much'", id='a-word'),
        pytest.param(['snapshot', '.', '--widget', 'a', '--last', '4x'], "such as 45s, 5m, 4h or 1d", id='length'),
        pytest.param(['snapshot', '.', '--widget', 'a', '--last', '367d'], "such as 45s, 5m, 4h or 1d", id='a-year'),
    ],
)
def test_unusable_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2
    out, err = capsys.readouterr()
    assert message in err and out == ''


@pytest.mark.parametrize(
    ('words', 'completed'),
    [
        pytest.param(['reh'], ['rehearse'], id='command'),
        pytest.param(['rehearse', '--exp'], ['--explain'], id='option'),
        pytest.param(['plan', '--no'], ['--notify'], id='option-of-another-command'),
        pytest.param(['rehearse', 'ac'], [], id='a-path-is-left-to-the-shell'),
        pytest.param(['rehaerse', '--exp'], [], id='no-command'),
    ],
)
def test_completion_in_bash(words, completed, capsys):
    assert cli.main(['completion', 'bash']) == 0
    script = capsys.readouterr().out
    line = f'COMP_WORDS=(ddassets {" ".join(words)}); COMP_CWORD={len(words)}; _ddassets; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(['bash', '-c', script + line], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout.split(), done.stderr) == (completed, '')


@pytest.mark.parametrize('shell', [pytest.param('zsh', id='zsh'), pytest.param('fish', id='fish')])
def test_completion_is_valid_in_other_shells(shell, capsys):
    assert cli.main(['completion', shell]) == 0
    script = capsys.readouterr().out
    assert 'rehearse' in script and 'explain' in script
    if program := shutil.which(shell):
        subprocess.run([program, '--no-execute' if shell == 'fish' else '-n'], input=script, text=True, check=True)


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(['--help'])
    out = capsys.readouterr().out
    assert left.value.code == 0 and all(f'    {name} ' in out for name in cli.COMMANDS)


@pytest.mark.parametrize('arguments', [['--help'], ['rehearse', '--help']], ids=' '.join)
def test_the_help_is_for_every_form_of_asset(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    said = ' '.join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert 'exported JSON' in said and 'Terraform' in said and 'integration' in said
