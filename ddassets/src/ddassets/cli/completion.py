"""`ddassets completion`: print a script that completes commands and options in a shell."""

from argparse import ArgumentParser, Namespace

from ddassets.cli.exit_code import FINE
from ddassets.output.terminal import write

HELP = 'print a script for completion in bash, zsh or fish'
DESCRIPTION = 'Print a script for completion, such as `eval "$(ddassets completion bash)"` in .bashrc.'
EPILOG = 'exit code: 0'
SHELLS = ('bash', 'zsh', 'fish')

_BASH = """\
_ddassets() {{
    local current=${{COMP_WORDS[COMP_CWORD]}}
    local words={commands}
    if [ "$COMP_CWORD" -gt 1 ]; then
        case ${{COMP_WORDS[1]}} in
{cases}
            *) words= ;;
        esac
        [[ $current == -* ]] || words=
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _ddassets ddassets
"""


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument('shell', choices=SHELLS, help='the shell')


def run(options: Namespace) -> int:
    from ddassets.cli import COMMANDS, command_module, command_parser

    names = {name: command_parser(name).option_names() for name in COMMANDS}
    if options.shell == 'fish':
        lines = ["complete -c ddassets -n __fish_use_subcommand -f"]
        for name, option_names in names.items():
            help = command_module(name).HELP.replace("'", '')
            lines.append(f"complete -c ddassets -n __fish_use_subcommand -a {name} -d '{help}'")
            seen = f"'__fish_seen_subcommand_from {name}'"
            lines += [
                f'complete -c ddassets -n {seen} -l {option.removeprefix("--")}'
                for option in option_names
                if option.startswith('--')
            ]
        write('\n'.join(lines) + '\n')
        return FINE
    cases = '\n'.join(f"            {name}) words='{' '.join(options)}' ;;" for name, options in names.items())
    script = _BASH.format(commands=f"'{' '.join(COMMANDS)} --help --version'", cases=cases)
    write(('autoload -U +X bashcompinit && bashcompinit\n' if options.shell == 'zsh' else '') + script)
    return FINE
