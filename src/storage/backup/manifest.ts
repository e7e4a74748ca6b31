/** The description of a backup beside its data: what a restore checks before it touches anything. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { GatewayError } from '../../types/errors.ts';

export const manifestName = 'backup.json';

const manifest = z.object({
  format: z.literal(1),
  /** The version of Pailou that made it. */
  pailou: z.string(),
  created_at: z.iso.datetime(),
  database: z.enum(['sqlite', 'postgres']),
  /** The file of the data, in the same folder. */
  file: z.enum(['pailou.db', 'pailou.dump']),
  bytes: z.int().nonnegative(),
  sha256: z.string().length(64),
  /** The revision of the configuration. */
  revision: z.int().nonnegative(),
  /** The newest migration of the tables. */
  migration: z.string(),
  /** The ids of the master keys that open its secrets. */
  keys: z.array(z.string()),
});

export type Manifest = z.output<typeof manifest>;

const invalid = (message: string, cause?: unknown): GatewayError => new GatewayError('invalid_request', message, { cause });

/** Rejects with `invalid_request` when the folder holds no backup that this version understands. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, manifestName);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw invalid(`${folder} holds no backup: ${manifestName} cannot be read.`, cause);
  });
  try {
    return manifest.parse(JSON.parse(text));
  } catch (thrown) {
    throw invalid(`${path} is not the description of a backup that this version understands.`, thrown);
  }
}

/** The SHA-256 of a file in hexadecimal digits. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Rejects with `invalid_request` when the data is not what was backed up. */
export async function checkData(folder: string, { file, sha256 }: Manifest): Promise<void> {
  const found = await digestOf(join(folder, file)).catch((cause: unknown) => {
    throw invalid(`The file ${join(folder, file)} of the backup cannot be read.`, cause);
  });
  if (found !== sha256) throw invalid(`${join(folder, file)} is damaged: its checksum is not the one of the backup. Use another backup.`);
}
