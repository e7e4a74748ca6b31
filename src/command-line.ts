/** The command line: `pailou <command>`. Exit codes: 0 done, 1 failed, 2 wrong use or bad settings. */
import { parseArgs } from 'node:util';
import { fetchDevelopmentToken } from './auth/development/development-token.ts';
import { permissionLayouts, permissionSql, readColumns, sqlDialects } from './auth/permission-sql.ts';
import { readSettings, SettingsError } from './config/settings.ts';
import { startPailou } from './main.ts';
import { verifyAudit } from './storage/audit-chain.ts';
import type { Database } from './storage/database.ts';
import { migrate } from './storage/migrate.ts';
import { openDatabase } from './storage/open-database.ts';
import { createLogger } from './telemetry/log.ts';
import { roles } from './types/access.ts';
import { GatewayError } from './types/errors.ts';

interface Command {
  readonly summary: string;
  readonly usage: string;
  run(args: string[]): Promise<number>;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

class UsageError extends Error {}

async function withDatabase(work: (database: Database) => Promise<number>): Promise<number> {
  const settings = readSettings(process.env);
  const logger = createLogger(settings.logLevel);
  const database = await openDatabase({ url: settings.databaseUrl, dataDir: settings.dataDir, logger });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

const commands: Readonly<Record<string, Command>> = {
  start: {
    summary: 'Start the gateway (with a development identity service if no OAuth2 service is configured).',
    usage: 'pailou start',
    async run(args) {
      parseArgs({ args, options: {} });
      const gateway = await startPailou(process.env);
      say(gateway.greeting);
      let signals = 0;
      const stop = (): void => {
        // A second signal means: now.
        if (++signals > 1) process.exit(1);
        gateway.close().then(
          () => process.exit(0),
          (thrown: unknown) => process.exit(explain(thrown)),
        );
      };
      process.on('SIGINT', stop).on('SIGTERM', stop);
      return new Promise<number>(() => {});
    },
  },
  token: {
    summary: 'Print a token of the development identity service, and nothing else.',
    usage: 'pailou token --role admin|developer|user|viewer',
    async run(args) {
      const { values } = parseArgs({ args, options: { role: { type: 'string', default: 'developer' } } });
      const role = roles.find((each) => each === values.role);
      if (role === undefined) throw new UsageError(`--role must be one of ${roles.join(', ')}.`);
      const settings = readSettings(process.env);
      if (settings.oauth.issuer !== null || settings.oauth.file !== null) {
        throw new UsageError(
          'An OAuth2 service is configured: fetch your token from that service. This command only asks the development identity service.',
        );
      }
      say(await fetchDevelopmentToken(`http://127.0.0.1:${settings.identityPort}`, role));
      return 0;
    },
  },
  migrate: {
    summary: 'Bring the database up to date without starting the gateway.',
    usage: 'pailou migrate',
    async run(args) {
      parseArgs({ args, options: {} });
      return withDatabase(async (database) => {
        const applied = await migrate(database);
        say(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`);
        return 0;
      });
    },
  },
  audit: {
    summary: 'Check that no entry of the audit was changed, added or taken away.',
    usage: 'pailou audit verify',
    async run([verb, ...args]) {
      if (verb !== 'verify') throw new UsageError('Say: pailou audit verify');
      parseArgs({ args, options: {} });
      return withDatabase(async (database) => {
        const { ok, entries, head, fault } = await verifyAudit(database);
        if (ok) say(`${entries} entries, all as they were written. Head: ${head.sequence} ${head.hash}`);
        else complain(`${fault} ${entries} entries before it are as they were written.`);
        return ok ? 0 : 1;
      });
    },
  },
  permissions: {
    summary: "Print the SQL that adds the nine permissions to your OAuth2 service's own tables; it is never run from here.",
    usage: 'pailou permissions sql --layout sas|standard|jeecg|ruoyi|pig|yudao --dialect mysql|postgres|oracle [--roles admin,developer]',
    async run([verb, ...args]) {
      if (verb !== 'sql') throw new UsageError('Say: pailou permissions sql');
      const { values } = parseArgs({
        args,
        options: {
          layout: { type: 'string', default: 'sas' },
          dialect: { type: 'string', default: 'mysql' },
          table: { type: 'string' },
          columns: { type: 'string' },
          roles: { type: 'string', default: '' },
        },
      });
      const layout = Object.hasOwn(permissionLayouts, values.layout) ? permissionLayouts[values.layout] : undefined;
      if (layout === undefined) throw new UsageError(`--layout must be one of ${Object.keys(permissionLayouts).join(', ')}.`);
      const dialect = sqlDialects.find((each) => each === values.dialect);
      if (dialect === undefined) throw new UsageError(`--dialect must be one of ${sqlDialects.join(', ')}.`);
      const columns = values.columns === undefined ? layout.columns : readColumns(values.columns);
      const code = Object.entries(columns).find(([, value]) => value === '{code}')?.[0] ?? layout.code;
      const roleNames = values.roles.split(',').filter((role) => role !== '');
      say(permissionSql({ ...layout, table: values.table ?? layout.table, columns, code }, dialect, roleNames).trimEnd());
      return 0;
    },
  },
};

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(
    ([name, command]) => `  ${name.padEnd(width)}  ${command.summary}\n  ${' '.repeat(width)}  $ ${command.usage}`,
  );
  return `Pailou: the gate through which a whole team reaches its AI.\n\n${lines.join('\n')}\n\nSettings come from the environment: docs/configuration.md`;
}

/** What went wrong, for the person at the keyboard: no stack for faults that they can mend. */
function explain(thrown: unknown): number {
  if (thrown instanceof SettingsError || thrown instanceof UsageError || isArgumentError(thrown)) {
    complain(thrown.message);
    return 2;
  }
  if (thrown instanceof GatewayError) complain(thrown.message);
  else complain(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  return 1;
}

function isArgumentError(thrown: unknown): thrown is Error {
  return thrown instanceof TypeError && 'code' in thrown && String(thrown.code).startsWith('ERR_PARSE_ARGS');
}

/** Runs the command that the arguments name; sets the exit code of the process. */
export async function runCommandLine([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    say(help());
    process.exitCode = name === undefined ? 2 : 0;
  } else {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) {
      complain(`There is no command "${name}".\n\n${help()}`);
      process.exitCode = 2;
    } else if (args.includes('--help') || args.includes('-h')) {
      say(`${command.summary}\n\n  $ ${command.usage}`);
    } else {
      process.exitCode = await command.run(args).catch(explain);
    }
  }
}
