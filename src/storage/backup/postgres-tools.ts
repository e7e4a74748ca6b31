/** PostgreSQL's own tools, pg_dump and pg_restore, for a database of its own. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { GatewayError } from '../../types/errors.ts';

/** The address without its password, which goes by the environment: arguments are visible to every user of the machine. */
function connection(url: string): { readonly address: string; readonly env: NodeJS.ProcessEnv } {
  const address = new URL(url);
  const inQuery = address.searchParams.get('password');
  const password = inQuery ?? decodeURIComponent(address.password);
  address.password = '';
  if (inQuery !== null) {
    address.searchParams.delete('password');
    // PostgreSQL's tools read a plus sign as it is.
    address.search = address.search.replaceAll('+', '%20');
  }
  return { address: address.href, env: { ...process.env, ...(password === '' ? {} : { PGPASSWORD: password }) } };
}

/** Rejects with `storage_unavailable` and the tool's own words. */
async function run(program: 'pg_dump' | 'pg_restore', args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const [code, words] = await Promise.all([ended, text(child.stderr)]).catch((cause: NodeJS.ErrnoException) => {
    const missing = `${program} is not on the PATH. Install the client tools of PostgreSQL (Debian: postgresql-client), not older than the server.`;
    throw new GatewayError('storage_unavailable', cause.code === 'ENOENT' ? missing : `${program} cannot be started: ${cause.message}`, {
      cause,
    });
  });
  if (code !== 0) throw new GatewayError('storage_unavailable', `${program} failed: ${words.trim().slice(0, 2_000)}`);
}

/** Writes a consistent dump of the whole database while nodes serve. */
export async function dumpPostgres(url: string, file: string): Promise<void> {
  const { address, env } = connection(url);
  await run('pg_dump', ['--format=custom', `--file=${file}`, `--dbname=${address}`], env);
}

/** Restores a dump as a whole or not at all. */
export async function restorePostgres(url: string, file: string): Promise<void> {
  const { address, env } = connection(url);
  await run('pg_restore', ['--no-owner', '--single-transaction', '--exit-on-error', `--dbname=${address}`, file], env);
}
