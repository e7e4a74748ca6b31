/** The command line: `pailou <command>`. Exit codes: 0 done, 1 failed, 2 wrong use or bad settings. The code of a command is loaded when it runs. */
import { parseArgs } from 'node:util';
import { type Command, printError, print, speakJson, UsageError } from './admin/commands/command.ts';
import { onNpmEnd } from './cluster/launching-npm.ts';
import { nearMatches } from './text/did-you-mean.ts';

/** Signals closer than this, in milliseconds, are one. */
const repeatedSignalMs = 500;

const startCommand: Command = {
  async run(args) {
    parseArgs({ args, options: {} });
    let stop = (): void => process.exit(0);
    onNpmEnd(() => stop());
    const { setHeapFlags } = await import('./telemetry/heap-flags.ts');
    setHeapFlags();
    const { withHandedSecrets } = await import('./config/secret-handover.ts');
    const { startPailou } = await import('./main.ts');
    const { startIdleMemory } = await import('./telemetry/start-idle-memory.ts');
    const gateway = await startPailou(withHandedSecrets(process.env));
    print(gateway.greeting);
    startIdleMemory();
    let stoppingSince: number | null = null;
    stop = (): void => {
      // A second signal stops at once. npm passes a signal on that the terminal has sent to the whole group already: one wish, two signals.
      if (stoppingSince !== null && performance.now() - stoppingSince > repeatedSignalMs) process.exit(1);
      if (stoppingSince !== null) return;
      stoppingSince = performance.now();
      gateway.stop().then(
        () => process.exit(0),
        async (thrown: unknown) => process.exit(await explain(thrown)),
      );
    };
    // A terminal that closes sends SIGHUP; without a listener it would end every stream at once, also after nohup.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal).on(signal, stop);
    return new Promise<number>(() => {});
  },
};

interface CommandEntry {
  /** One line for the help. */
  readonly summary: string;
  readonly usage: string;
  load(): Command | Promise<Command>;
}

const gatewayUsage = '[--url http://127.0.0.1:8000] [--token <token>]';

const commands: Readonly<Record<string, CommandEntry>> = {
  start: {
    summary: 'Start the gateway (with a development identity service if no OAuth2 service is configured).',
    usage: 'pailou start',
    load: () => startCommand,
  },
  login: {
    summary: 'Sign in at the OAuth2 service of a gateway, in your browser; `pailou token` then prints your token.',
    usage: 'pailou login [https://pailou.company.cn]',
    load: async () => (await import('./admin/commands/login.ts')).loginCommand,
  },
  logout: {
    summary: 'Revoke your tokens at the OAuth2 service and delete them here.',
    usage: 'pailou logout',
    load: async () => (await import('./admin/commands/login.ts')).logoutCommand,
  },
  token: {
    summary: 'Print only a token: yours after `pailou login`, otherwise one of the development identity service.',
    usage: 'pailou token [--role admin|developer|user|viewer] [--tenant <tenant>] [--json]',
    load: async () => (await import('./admin/commands/token.ts')).tokenCommand,
  },
  doctor: {
    summary: 'Check settings, database and OAuth2 service, and explain step by step how a token is read or why it is refused.',
    usage: 'pailou doctor [--token <token>] [--url <gateway>] [--json]     (--token - reads it from the standard input)',
    load: async () => (await import('./admin/commands/doctor.ts')).doctorCommand,
  },
  apply: {
    summary: 'Make the configuration as YAML files describe it, all or nothing (docs/configuration-as-code.md).',
    usage: `pailou apply -f <file or folder> [--label name=value [--prune]] [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/configuration.ts')).applyCommand,
  },
  diff: {
    summary: 'Show what apply would change; the exit code is 2 when there is something.',
    usage: `pailou diff -f <file or folder> [--label name=value [--prune]] [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/configuration.ts')).diffCommand,
  },
  export: {
    summary: 'Print the configuration of your tenant as YAML documents, secrets as ${env:…}.',
    usage: `pailou export [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/configuration.ts')).exportCommand,
  },
  import: {
    summary: 'Print the configuration of LiteLLM or new-api as YAML documents, and say what cannot be carried over.',
    usage:
      'pailou import litellm <config.yaml> | new-api <SQLite file, postgres://… or mysql://…> [--grant <role>] [--secrets <file>] [--json]',
    load: async () => (await import('./admin/commands/import.ts')).importCommand,
  },
  validate: {
    summary: 'Check YAML files without a gateway and without their secrets; or print the JSON Schema of a document.',
    usage: 'pailou validate -f <file or folder> [--json] | --schema',
    load: async () => (await import('./admin/commands/configuration.ts')).validateCommand,
  },
  providers: {
    summary: 'List, show, add, change and delete connections to vendors.',
    usage: `pailou providers [list] | get <name> | add <name> --kind <kind> [--option name=value]… | set <name> <JSON merge patch> | delete <name> [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/rows.ts')).rowsCommand('providers'),
  },
  models: {
    summary: 'List, show, add, change and delete models.',
    usage: `pailou models [list] | get <name> | add <name> <spec as JSON, @file or -> | set <name> <JSON merge patch> | delete <name> [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/rows.ts')).rowsCommand('models'),
  },
  'mcp-servers': {
    summary: 'List, show, add, change and delete MCP servers.',
    usage: `pailou mcp-servers [list] | get <name> | add <name> --kind <kind> [--option name=value]… | set <name> <JSON merge patch> | delete <name> [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/rows.ts')).rowsCommand('mcp-servers'),
  },
  grants: {
    summary: 'List, show, add, change and delete rights.',
    usage: `pailou grants [list] | get <name> | add <name> <spec as JSON, @file or -> | set <name> <JSON merge patch> | delete <name> [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/rows.ts')).rowsCommand('grants'),
  },
  limits: {
    summary: 'List, show, add, change and delete limits and budgets.',
    usage: `pailou limits [list] | get <name> | add <name> <spec as JSON, @file or -> | set <name> <JSON merge patch> | delete <name> [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/rows.ts')).rowsCommand('limits'),
  },
  teams: {
    summary: 'List, show, add, change and delete teams.',
    usage: `pailou teams [list] | get <name> | add <name> <spec as JSON, @file or -> | set <name> <JSON merge patch> | delete <name> [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/rows.ts')).rowsCommand('teams'),
  },
  'service-accounts': {
    summary: 'List, show, add, change and delete service accounts.',
    usage: `pailou service-accounts [list] | get <name> | add <name> <spec as JSON, @file or -> | set <name> <JSON merge patch> | delete <name> [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/rows.ts')).rowsCommand('service-accounts'),
  },
  chat: {
    summary: 'Ask a model or a skill, and print the answer as it arrives.',
    usage: `pailou chat <model or skill/name> <message> [--system <text>] [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/chat.ts')).chatCommand,
  },
  test: {
    summary: 'Try a provider that the gateway has; the exit code is 1 when its vendor does not answer.',
    usage: `pailou test <provider> --model <name> [--operation chat|embeddings|rerank|images|speech|transcriptions] [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/try-provider.ts')).testCommand,
  },
  status: {
    summary: 'Tell whether the gateway is ready, and which revision each node serves.',
    usage: `pailou status [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/runs.ts')).statusCommand,
  },
  runs: {
    summary: 'List runs, newest first, or show one with its attempts.',
    usage: `pailou runs [<id>] [--request-id …] [--user …] [--key …] [--model …] [--team …] [--outcome …] [--error …] [--from …] [--to …] [--limit …] [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/runs.ts')).runsCommand,
  },
  usage: {
    summary: 'Report tokens and money over days.',
    usage: `pailou usage [--by day,user,model] [--from 2026-11-01] [--to 2026-11-30] [--user …] [--team …] [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/runs.ts')).usageCommand,
  },
  completion: {
    summary: 'Print a script that completes commands in your shell.',
    usage: 'pailou completion bash|zsh|fish',
    load: async () => (await import('./admin/commands/completion.ts')).completionCommand(Object.keys(commands)),
  },
  migrate: {
    summary: 'Bring the database up to date without starting the gateway.',
    usage: 'pailou migrate [--json]',
    load: async () => (await import('./admin/commands/migrate.ts')).migrateCommand,
  },
  backup: {
    summary: 'Back the database up into an empty folder while nodes serve. The master key is not in it (docs/operations.md).',
    usage: 'pailou backup <folder> [--json]',
    load: async () => (await import('./admin/commands/backup.ts')).backupCommand,
  },
  restore: {
    summary: 'Restore a backup, with every node stopped; an existing SQLite database is moved aside by --replace.',
    usage: 'pailou restore <folder> [--replace] [--without-key] [--json]',
    load: async () => (await import('./admin/commands/backup.ts')).restoreCommand,
  },
  prune: {
    summary: 'Delete what is older than the settings keep (PAILOU_KEEP_…), as the gateway does by itself; --dry-run only counts.',
    usage:
      'pailou prune [--dry-run] [--compact] [--json]     (--compact rewrites a SQLite file without its free space; stop the gateway first)',
    load: async () => (await import('./admin/commands/prune.ts')).pruneCommand,
  },
  audit: {
    summary: 'Verify that no entry of the audit was changed, added or removed.',
    usage: 'pailou audit verify [--json]',
    load: async () => (await import('./admin/commands/audit.ts')).auditCommand,
  },
  keys: {
    summary:
      'List, make and revoke API keys; rotate-master seals everything in the database with PAILOU_MASTER_KEY, while nodes serve (docs/secrets.md), and --check only counts.',
    usage: `pailou keys list | add [title] [--days 90] [--capability model/gpt]... [--permission llm:model:use]... [--for <person> | --service <name>] | revoke <id> ${gatewayUsage} | rotate-master [--check] [--leave-lost] [--json]`,
    load: async () => (await import('./admin/commands/keys.ts')).keysCommand,
  },
  permissions: {
    summary:
      "Print the SQL that adds the nine permissions to your OAuth2 service's own tables, which is never run from here, or compare them with those tables (exit code 1 if they differ).",
    usage:
      'pailou permissions sql --layout sas|standard|jeecg|ruoyi|pig|yudao --dialect mysql|postgres|oracle [--roles admin,developer] [--lang en|zh] [--json] | check --database mysql://…|postgres://… [--layout …] [--roles admin,developer] [--json]',
    load: async () => (await import('./admin/commands/permissions.ts')).permissionsCommand,
  },
  skills: {
    summary: 'Run the cases of a skill (exit code 1 if one fails), import a SKILL.md folder or zip, export one (docs/skills.md).',
    usage: `pailou skills test <name> [--model <model>]... [--json] | import <folder or zip> [--model <model>] [--replace] | export <name> [--to <folder or .zip>] [--json] ${gatewayUsage}`,
    load: async () => (await import('./admin/commands/skills.ts')).skillsCommand,
  },
};

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(
    ([name, command]) => `  ${name.padEnd(width)}  ${command.summary}\n  ${' '.repeat(width)}  $ ${command.usage}`,
  );
  return `Pailou: the gate through which a whole team reaches its AI.\n\n${lines.join('\n')}\n\nSettings come from the environment: docs/configuration.md`;
}

/** An error of the file system, such as "ENOENT: no such file or directory, open '/x'": its message names the path. */
function isFileError(thrown: unknown): thrown is NodeJS.ErrnoException {
  return thrown instanceof Error && 'syscall' in thrown && 'path' in thrown;
}

/** A connection that ended in the middle of an answer, as `fetch` reports it. */
function isCutAnswer(thrown: unknown): boolean {
  const { cause } = thrown as { cause?: { code?: unknown } };
  return thrown instanceof TypeError && (thrown.message === 'terminated' || /^(UND_ERR_|E[A-Z]+$)/.test(String(cause?.code)));
}

/** Prints the error, without a stack for faults that the person at the keyboard can fix. Returns the exit code. */
async function explain(thrown: unknown, usage = ''): Promise<number> {
  if (thrown instanceof UsageError || isArgumentError(thrown)) {
    printError(optionFault(thrown.message, usage), { code: 'usage' });
    return 2;
  }
  const { SettingsError } = await import('./config/settings.ts');
  const { GatewayError } = await import('./types/errors.ts');
  if (thrown instanceof SettingsError) {
    printError(thrown.message, { code: 'settings_invalid' });
    return 2;
  }
  if (thrown instanceof GatewayError) printError(thrown.message, { code: thrown.code, param: thrown.param });
  else if (isCutAnswer(thrown))
    printError('The connection ended before the answer was whole. Is the gateway still running?', { code: 'gateway_unreachable' });
  else if (isFileError(thrown)) printError(thrown.message, { code: 'file_unusable' });
  else printError(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown), { code: 'internal_error' });
  return 1;
}

function isArgumentError(thrown: unknown): thrown is Error {
  return thrown instanceof TypeError && 'code' in thrown && String(thrown.code).startsWith('ERR_PARSE_ARGS');
}

/** The sentence of an unknown option, with the one that `usage` has in its place. */
function optionFault(message: string, usage: string): string {
  const [, option] = /^Unknown option '(--[^']+)'/.exec(message) ?? [];
  if (option === undefined) return message;
  const known = [...new Set(usage.match(/--[a-z][a-z-]*/g))];
  const near = nearMatches(option, known);
  return `Unknown option '${option}'.${near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`}`;
}

/** Runs the command of the arguments and sets the exit code of the process. */
export async function runCommandLine([name, ...args]: readonly string[]): Promise<void> {
  const end = args.indexOf('--');
  if (args.slice(0, end === -1 ? args.length : end).includes('--json')) speakJson();
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    print(help());
    process.exitCode = name === undefined ? 2 : 0;
    return;
  }
  if (name === '--version' || name === '-v') {
    const { version } = await import('./types/version.ts');
    print(version);
    return;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const near = nearMatches(name, Object.keys(commands));
    const sentence = `There is no command "${name}".${near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`}`;
    printError(args.includes('--json') ? sentence : `${sentence}\n\n${help()}`, { code: 'usage' });
    process.exitCode = 2;
  } else if (args.includes('--help') || args.includes('-h')) {
    print(`${command.summary}\n\n  $ ${command.usage}`);
  } else {
    process.exitCode = await Promise.resolve(command.load())
      .then((loaded) => loaded.run(args))
      .catch((thrown: unknown) => explain(thrown, command.usage));
  }
}
