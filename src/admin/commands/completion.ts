/** pailou completion: a script that completes the names of commands in a shell. */
import { type Command, print, UsageError } from './command.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `names`: the commands. */
export function completionCommand(names: readonly string[]): Command {
  const words = [...names].toSorted().join(' ');
  const scripts: Readonly<Record<(typeof shells)[number], string>> = {
    bash: `complete -W "${words}" pailou`,
    zsh: `#compdef pailou\ncompdef '_arguments "1:command:(${words})"' pailou`,
    fish: `complete -c pailou -n __fish_use_subcommand -f -a "${words}"`,
  };
  return {
    async run([shell]) {
      const known = shells.find((each) => each === shell);
      if (known === undefined) throw new UsageError('Usage: pailou completion bash|zsh|fish, e.g. source <(pailou completion bash)');
      print(scripts[known]);
      return 0;
    },
  };
}
