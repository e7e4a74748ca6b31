/** Where the master key comes from. */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../types/errors.ts';
import { masterKey, type MasterKey } from './secrets.ts';

const remedy = 'Make one with: openssl rand -base64 32';

/** 32 bytes as base64 or hex. Throws `configuration_invalid` for anything else, and for keys without any disorder in them. */
export function parseMasterKey(text: string): Buffer {
  const trimmed = text.trim();
  const key = /^[0-9a-fA-F]{64}$/.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64');
  if (key.length !== 32)
    throw new GatewayError('configuration_invalid', `PAILOU_MASTER_KEY must be 32 bytes in base64 or hex. ${remedy}`, {
      param: 'PAILOU_MASTER_KEY',
    });
  if (new Set(key).size < 8)
    throw new GatewayError('configuration_invalid', `PAILOU_MASTER_KEY is too simple to be a key. ${remedy}`, {
      param: 'PAILOU_MASTER_KEY',
    });
  return key;
}

/** The configured key; in development, one that is made once and kept in the data folder. Production refuses to go without. */
export function loadMasterKey(options: {
  readonly masterKey: string | null;
  readonly dataDir: string;
  readonly mode: 'development' | 'production';
}): MasterKey {
  if (options.masterKey !== null) return masterKey(parseMasterKey(options.masterKey));
  if (options.mode === 'production') {
    throw new GatewayError(
      'configuration_invalid',
      `PAILOU_MASTER_KEY is needed in production mode; it seals the vendors' keys. ${remedy}`,
      { param: 'PAILOU_MASTER_KEY' },
    );
  }
  const path = join(options.dataDir, 'master.key');
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  try {
    // Written whole, then linked: of two processes that start at once one wins, and both read the same key.
    writeFileSync(draft, randomBytes(32).toString('base64'), { mode: 0o600 });
    linkSync(draft, path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new GatewayError(
        'storage_unavailable',
        `The master key cannot be written to ${path}. Check PAILOU_DATA_DIR and the rights on it.`,
        { cause: thrown },
      );
    }
  }
  rmSync(draft, { force: true });
  return masterKey(parseMasterKey(readFileSync(path, 'utf8')));
}
