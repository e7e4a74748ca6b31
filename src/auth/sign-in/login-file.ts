/** Stores the tokens of `pailou login` in the user's own folder, readable by the user alone. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { GatewayError } from '../../types/errors.ts';

const login = z.object({
  gateway: z.string(),
  issuer: z.string(),
  client_id: z.string(),
  access_token: z.string(),
  refresh_token: z.string().nullable(),
  /** Epoch milliseconds; null when the service does not report it. */
  expires_at: z.number().nullable(),
});
export type Login = z.output<typeof login>;

export function loginPath(env: NodeJS.ProcessEnv): string {
  const home = env['XDG_CONFIG_HOME'];
  return join(home === undefined || home === '' ? join(homedir(), '.config') : home, 'pailou', 'login.json');
}

/** Null when there is no login. Throws `configuration_invalid` for a file that cannot be read. */
export async function readLogin(path: string): Promise<Login | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'ENOENT') return null;
    throw new GatewayError('configuration_invalid', `${path} cannot be read. Sign in again: pailou login`, { cause: thrown });
  }
  try {
    return login.parse(JSON.parse(text));
  } catch (cause) {
    throw new GatewayError('configuration_invalid', `${path} is damaged. Sign in again: pailou login`, { cause });
  }
}

/** Atomic, even when two commands write at once. */
export async function writeLogin(path: string, value: Login): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${process.pid}`;
  await writeFile(beside, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(beside, path);
}

export async function forgetLogin(path: string): Promise<void> {
  await rm(path, { force: true });
}
