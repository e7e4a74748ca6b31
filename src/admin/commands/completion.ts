/** pailou completion: a script that completes the names of commands in a shell. */
import { type Command, print, UsageError } from './command.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `names`: the commands. */
export function completionCommand(names: readonly string[]): Command {
  const words = [...names].toSorted().join(' ');
  // The command is the first word; after it the shell completes files, such as those of -f.
  const bash = `_pailou() { [ "$COMP_CWORD" -eq 1 ] && COMPREPLY=($(compgen -W "${words}" -- "\${COMP_WORDS[1]}")); }`;
  const zsh = `_pailou() { _arguments "1:command:(${words})" "*:file:_files" }`;
  const scripts: Readonly<Record<(typeof shells)[number], string>> = {
    bash: `${bash}\ncomplete -o default -F _pailou pailou`,
    // As a file of $fpath it is the function itself; otherwise it is read once.
    zsh: `#compdef pailou\n${zsh}\nif [ "$funcstack[1]" = _pailou ]; then _pailou "$@"; else compdef _pailou pailou; fi`,
    fish: `complete -c pailou -n __fish_use_subcommand -f -a "${words}"`,
  };
  return {
    async run([shell, ...more]) {
      const known = shells.find((each) => each === shell);
      if (known === undefined || more.length > 0)
        throw new UsageError('Usage: pailou completion bash|zsh|fish, e.g. source <(pailou completion bash)');
      print(scripts[known]);
      return 0;
    },
  };
}
