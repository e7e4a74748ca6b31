/** Loads the master key. */
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../types/errors.ts';
import { makeFolder } from './make-folder.ts';
import { masterKey, type MasterKey, type MasterKeys } from './secret-box.ts';

const remedy = 'Make one with: openssl rand -base64 32';

/** 32 bytes as base64 or hex. Throws `configuration_invalid` for anything else and for keys without entropy. */
export function parseMasterKey(text: string, variable = 'PAILOU_MASTER_KEY'): Buffer {
  const trimmed = text.trim();
  const invalid = (what: string): GatewayError =>
    new GatewayError('configuration_invalid', `${variable} ${what}. ${remedy}`, { param: variable });
  const hex = /^[0-9a-fA-F]{64}$/.test(trimmed);
  if (!hex && !/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) throw invalid('must be 32 bytes in base64 or hex');
  const key = Buffer.from(trimmed, hex ? 'hex' : 'base64');
  if (new Set(key).size < 8) throw invalid('is too simple to be a key');
  return key;
}

export interface MasterKeyOptions {
  readonly masterKey: string | null;
  readonly dataDir: string;
  readonly mode: 'development' | 'production';
}

/** The configured key; in development, a generated key in the data folder. Production requires a configured key. */
export function loadMasterKey(options: MasterKeyOptions): MasterKey {
  if (options.masterKey !== null) return masterKey(parseMasterKey(options.masterKey));
  if (options.mode === 'production') {
    throw new GatewayError(
      'configuration_invalid',
      `PAILOU_MASTER_KEY is needed in production mode; it seals the vendors' keys. ${remedy}`,
      { param: 'PAILOU_MASTER_KEY' },
    );
  }
  const path = join(options.dataDir, 'master.key');
  try {
    if (!existsSync(path)) makeKeyFile(options.dataDir, path);
    return masterKey(parseMasterKey(readFileSync(path, 'utf8')));
  } catch (thrown) {
    if (thrown instanceof GatewayError) {
      throw new GatewayError(
        'configuration_invalid',
        `The file ${path} does not hold a key of 32 bytes. Put the former key back; what it sealed cannot be opened otherwise.`,
        { cause: thrown },
      );
    }
    throw new GatewayError(
      'storage_unavailable',
      `The master key ${path} cannot be made or read. Check PAILOU_DATA_DIR and the rights on it.`,
      { cause: thrown },
    );
  }
}

/** The current key and the old keys that still open sealed values. */
export function loadMasterKeys(options: MasterKeyOptions & { readonly oldMasterKeys: readonly string[] }): MasterKeys {
  const current = loadMasterKey(options);
  const old = options.oldMasterKeys.map((text) => masterKey(parseMasterKey(text, 'PAILOU_MASTER_KEY_OLD')));
  return { current, old: old.filter((key) => key.id !== current.id) };
}

/** Written and synced, then linked: of two processes that start at once one wins, and both read its key. */
function makeKeyFile(dataDir: string, path: string): void {
  makeFolder(dataDir);
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(draft, randomBytes(32).toString('base64'), { mode: 0o600, flush: true });
    linkSync(draft, path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  } finally {
    rmSync(draft, { force: true });
  }
}
