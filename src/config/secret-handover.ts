/** Removes secrets from the process environment, which programs of the same user can read in /proc. The process re-executes itself without them and reads them from an unnamed file. */
import { closeSync, constants, existsSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingTable } from './setting-table.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Marks that standard input holds secrets. Not a setting. */
const marker = 'SECRETS_OF_PAILOU';

const secretNames = Object.entries(settingTable).flatMap(([name, { secret }]: [string, { readonly secret?: boolean }]) =>
  secret === true ? [name] : [],
);

/** In memory where the system supports it. The name is removed before anything is written. */
function namelessFile(): number {
  const folder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const path = join(folder, `pailou-${randomUUID()}`);
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  unlinkSync(path);
  return file;
}

/** Does not return when there is something to hand over and the system supports it. The process id stays the same. */
export function handOverSecrets(env: Environment, command: readonly string[]): void {
  const secrets = Object.fromEntries(secretNames.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  if (Object.keys(secrets).length === 0 || process.execve === undefined) return;
  // The lowest free descriptor: a re-executed process keeps standard input.
  closeSync(0);
  const file = namelessFile();
  if (file !== 0) throw new Error('The secrets of the environment cannot be handed over; give them by PAILOU_…_FILE.');
  writeSync(file, JSON.stringify(secrets));
  const left = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || Object.hasOwn(secrets, name) ? [] : [[name, value]])),
  );
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...command], { ...left, [marker]: '1' });
}

/** The environment with the handed-over secrets, which are read once. */
export function withHandedSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (env[marker] === undefined) return env;
  const { [marker]: _marker, ...rest } = env;
  const bytes = Buffer.alloc(fstatSync(0).size);
  readSync(0, bytes, 0, bytes.length, 0);
  closeSync(0);
  // Keeps the descriptor occupied: the next open file must not become standard input.
  openSync('/dev/null', 'r');
  return { ...rest, ...(JSON.parse(bytes.toString('utf8')) as Record<string, string>) };
}
