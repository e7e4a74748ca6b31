/** The signing key of the development identity service. It is stored, so tokens survive a restart. */
import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { makeFolder } from '../../storage/make-folder.ts';
import { GatewayError } from '../../types/errors.ts';

export const signingAlgorithm = 'ES256';

const isKey = (value: unknown): value is JWK =>
  typeof value === 'object' && value !== null && ['kty', 'crv', 'x', 'y', 'd', 'kid'].every((name) => Object.hasOwn(value, name));

async function readKey(path: string): Promise<JWK | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw new GatewayError(
      'internal_error',
      `The key of the development identity service cannot be read: ${path}. Check its owner, and that PAILOU_DATA_DIR names a folder.`,
      { cause },
    );
  }
  let parsed: unknown = null;
  try {
    parsed = JSON.parse(text);
  } catch {
    // A damaged file is reported below, like any other invalid content.
  }
  if (!isKey(parsed))
    throw new GatewayError('internal_error', `${path} does not hold a key. Delete the file; a new key is made at the next start.`);
  return parsed;
}

/** The private key as JWK, from `dataDir`. Concurrent starts end with the same key. */
export async function loadSigningKey(dataDir: string): Promise<JWK> {
  const path = join(dataDir, 'development-identity.json');
  const stored = await readKey(path);
  if (stored !== null) return stored;
  const { privateKey } = await generateKeyPair(signingAlgorithm, { extractable: true });
  const key: JWK = {
    ...(await exportJWK(privateKey)),
    kid: `development-${randomBytes(4).toString('hex')}`,
    use: 'sig',
    alg: signingAlgorithm,
  };
  // Written to a temporary file, then linked: a reader never sees a partial key.
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    makeFolder(dataDir);
    await writeFile(draft, JSON.stringify(key), { mode: 0o600 });
    await link(draft, path);
    return key;
  } catch (cause) {
    const first = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST' ? await readKey(path) : null;
    if (first !== null) return first;
    throw new GatewayError(
      'internal_error',
      `The key of the development identity service cannot be written: ${path}. Check that PAILOU_DATA_DIR names a folder that may be written to.`,
      { cause },
    );
  } finally {
    await rm(draft, { force: true });
  }
}
