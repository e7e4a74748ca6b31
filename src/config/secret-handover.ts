/**
 * Secrets leave the environment of the process: what stands there when a process begins can be read in /proc by every program of the same
 * user, for as long as it lives. The process begins again without them, and reads them from a file that has no name.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingTable } from './setting-table.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Says to the new process that its standard input holds secrets. Not a setting. */
const marker = 'SECRETS_OF_PAILOU';

const secretNames = Object.entries(settingTable).flatMap(([name, { secret }]: [string, { readonly secret?: boolean }]) =>
  secret === true ? [name] : [],
);

/** In memory where the system has such a place. Nothing is written to it before its name is gone. */
function namelessFile(): number {
  const folder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const path = join(folder, `pailou-${randomUUID()}`);
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  unlinkSync(path);
  return file;
}

/** Does not return where there is something to hand over and the system can: the process is the same command anew, under the same id. */
export function handOverSecrets(env: Environment, command: readonly string[]): void {
  const secrets = Object.fromEntries(secretNames.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  if (Object.keys(secrets).length === 0 || process.execve === undefined) return;
  // The lowest number that is free: standard input is all that a new process keeps besides what is written to.
  closeSync(0);
  const file = namelessFile();
  if (file !== 0) throw new Error('The secrets of the environment cannot be handed over; give them by PAILOU_…_FILE.');
  writeSync(file, JSON.stringify(secrets));
  const left = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || Object.hasOwn(secrets, name) ? [] : [[name, value]])),
  );
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...command], { ...left, [marker]: '1' });
}

/** The environment with what was handed over, which is read once. */
export function withHandedSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (env[marker] === undefined) return env;
  const { [marker]: _marker, ...rest } = env;
  const bytes = Buffer.alloc(fstatSync(0).size);
  readSync(0, bytes, 0, bytes.length, 0);
  closeSync(0);
  // The number stays taken: what is opened next is no standard input.
  openSync('/dev/null', 'r');
  return { ...rest, ...(JSON.parse(bytes.toString('utf8')) as Record<string, string>) };
}
