/** The command line: `pailou <command>`. Exit codes: 0 done, 1 failed, 2 wrong use or bad settings. */
import { parseArgs } from 'node:util';
import { auditCommand } from './admin/commands/audit.ts';
import { type Command, printError, print, UsageError } from './admin/commands/command.ts';
import { doctorCommand } from './admin/commands/doctor.ts';
import { keysCommand } from './admin/commands/keys.ts';
import { loginCommand, logoutCommand } from './admin/commands/login.ts';
import { migrateCommand } from './admin/commands/migrate.ts';
import { permissionsCommand } from './admin/commands/permissions.ts';
import { skillsCommand } from './admin/commands/skills.ts';
import { tokenCommand } from './admin/commands/token.ts';
import { withHandedSecrets } from './config/secret-handover.ts';
import { SettingsError } from './config/settings.ts';
import { startPailou } from './main.ts';
import { GatewayError } from './types/errors.ts';

/** Signals closer than this, in milliseconds, are one. */
const repeatedSignalMs = 500;

const startCommand: Command = {
  summary: 'Start the gateway (with a development identity service if no OAuth2 service is configured).',
  usage: 'pailou start',
  async run(args) {
    parseArgs({ args, options: {} });
    const gateway = await startPailou(withHandedSecrets(process.env));
    print(gateway.greeting);
    let stoppingSince: number | null = null;
    const stop = (): void => {
      // A second signal stops at once. npm passes a signal on that the terminal has sent to the whole group already: one wish, two signals.
      if (stoppingSince !== null && performance.now() - stoppingSince > repeatedSignalMs) process.exit(1);
      if (stoppingSince !== null) return;
      stoppingSince = performance.now();
      gateway.stop().then(
        () => process.exit(0),
        (thrown: unknown) => process.exit(explain(thrown)),
      );
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
    return new Promise<number>(() => {});
  },
};

const commands: Readonly<Record<string, Command>> = {
  start: startCommand,
  login: loginCommand,
  logout: logoutCommand,
  token: tokenCommand,
  doctor: doctorCommand,
  migrate: migrateCommand,
  audit: auditCommand,
  keys: keysCommand,
  permissions: permissionsCommand,
  skills: skillsCommand,
};

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(
    ([name, command]) => `  ${name.padEnd(width)}  ${command.summary}\n  ${' '.repeat(width)}  $ ${command.usage}`,
  );
  return `Pailou: the gate through which a whole team reaches its AI.\n\n${lines.join('\n')}\n\nSettings come from the environment: docs/configuration.md`;
}

/** The error for the person at the keyboard, without a stack for faults that they can fix. */
function explain(thrown: unknown): number {
  if (thrown instanceof SettingsError || thrown instanceof UsageError || isArgumentError(thrown)) {
    printError(thrown.message);
    return 2;
  }
  if (thrown instanceof GatewayError) printError(thrown.message);
  else printError(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  return 1;
}

function isArgumentError(thrown: unknown): thrown is Error {
  return thrown instanceof TypeError && 'code' in thrown && String(thrown.code).startsWith('ERR_PARSE_ARGS');
}

/** Runs the command of the arguments and sets the exit code of the process. */
export async function runCommandLine([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    print(help());
    process.exitCode = name === undefined ? 2 : 0;
  } else {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) {
      printError(`There is no command "${name}".\n\n${help()}`);
      process.exitCode = 2;
    } else if (args.includes('--help') || args.includes('-h')) {
      print(`${command.summary}\n\n  $ ${command.usage}`);
    } else {
      process.exitCode = await command.run(args).catch(explain);
    }
  }
}
