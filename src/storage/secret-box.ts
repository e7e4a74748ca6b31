/** Seals secrets at rest with AES-256-GCM, bound to their place. */
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';

/** A sealed text: `v1.<key id>.<iv>.<tag>.<ciphertext>`, the last three in base64url. */
export interface Sealed {
  readonly $sealed: string;
}

export interface MasterKey {
  /** Part of each sealed text, so that keys can be rotated while old texts still open. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** The key that seals, and old keys that still open. */
export interface MasterKeys {
  readonly current: MasterKey;
  readonly old?: readonly MasterKey[];
}

export interface SecretBox {
  /** `context` (tenant and row) must be the same at `open`: a sealed text moved to another row does not open. */
  seal(plain: string, context: string): Sealed;
  /** The same secret under the current key. Deterministic, so that nodes and the rotation command agree. Throws as `open` does. A text under the current key is returned unchanged. */
  renew(sealed: Sealed, context: string): Sealed;
  /** The id of the sealing key. */
  keyOf(sealed: Sealed): 'current' | 'old' | 'unknown';
  /** Throws `internal_error` for a text that was changed, moved, or sealed with a missing key. */
  open(sealed: Sealed, context: string): string;
}

/** The id of a key is a digest, so it is the same on every node. */
export function masterKey(key: Buffer): MasterKey {
  return { id: createHash('sha256').update('pailou key id').update(key).digest('base64url').slice(0, 8), key };
}

/** A key for one purpose, the same on every node. */
export function derivedKey({ key }: MasterKey, purpose: string): MasterKey {
  return masterKey(Buffer.from(hkdfSync('sha256', key, '', `pailou ${purpose}`, 32)));
}

/** Keys for one purpose. */
export function derivedKeys({ current, old = [] }: MasterKeys, purpose: string): MasterKeys {
  return { current: derivedKey(current, purpose), old: old.map((key) => derivedKey(key, purpose)) };
}

/** The context of the secrets of a configuration row. */
export function rowContext({ tenant, id }: { readonly tenant: string; readonly id: string }): string {
  return `${tenant}/${id}`;
}

/** The id of the sealing key; empty for a text that is not sealed. */
export function keyIdOf(sealed: Sealed): string {
  return /^v1\.([\w-]{8})\./.exec(sealed.$sealed)?.[1] ?? '';
}

export function isSealed(value: unknown): value is Sealed {
  return typeof value === 'object' && value !== null && typeof (value as Sealed).$sealed === 'string' && Object.keys(value).length === 1;
}

/** Shown in place of a secret. Written back, it keeps the stored secret. */
export const mask = '***';

/** A copy of JSON with each sealed text replaced by `***`. */
export function maskSealed(value: unknown): unknown {
  if (isSealed(value)) return mask;
  if (Array.isArray(value)) return value.map(maskSealed);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskSealed(inner)]));
  return value;
}

/** A row for people: sealed texts and key hashes are masked. */
export function maskRow(row: ConfigRow): ConfigRow {
  const masked = maskSealed(row) as ConfigRow;
  return row.kind === 'key' ? { ...masked, spec: { ...masked.spec, hash: mask } } : masked;
}

export function createSecretBox(options: MasterKeys): SecretBox {
  const { current } = options;
  const keys = new Map([current, ...(options.old ?? [])].map((each) => [each.id, each.key]));
  const renewal = derivedKey(current, 'renewal');
  const unreadable = (reason: string): GatewayError =>
    new GatewayError(
      'internal_error',
      'A stored secret cannot be opened with the master key of this node. Check PAILOU_MASTER_KEY, or enter the secret again.',
      { details: reason },
    );
  const sealWith = (iv: Buffer, plain: string, context: string): Sealed => {
    const cipher = createCipheriv('aes-256-gcm', current.key, iv);
    cipher.setAAD(Buffer.from(context));
    const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    const parts = [iv, cipher.getAuthTag(), text].map((part) => part.toString('base64url'));
    return { $sealed: ['v1', current.id, ...parts].join('.') };
  };
  const open = (sealed: Sealed, context: string): string => {
    const [version, id, iv, tag, text] = sealed.$sealed.split('.');
    if (version !== 'v1' || id === undefined || iv === undefined || tag === undefined || text === undefined)
      throw unreadable('not a sealed text');
    const key = keys.get(id);
    if (key === undefined) throw unreadable(`sealed with key ${id}`);
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'), { authTagLength: 16 });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(Buffer.from(tag, 'base64url'));
      return Buffer.concat([decipher.update(Buffer.from(text, 'base64url')), decipher.final()]).toString('utf8');
    } catch {
      throw unreadable('changed, or moved from another row');
    }
  };
  return {
    seal: (plain, context) => sealWith(randomBytes(12), plain, context),
    open,
    renew(sealed, context) {
      if (keyIdOf(sealed) === current.id) return sealed;
      const plain = open(sealed, context);
      // As good as random: another secret or place has another text, and so another IV.
      const iv = createHmac('sha256', renewal.key)
        .update(JSON.stringify([context, sealed.$sealed]))
        .digest()
        .subarray(0, 12);
      return sealWith(iv, plain, context);
    },
    keyOf(sealed) {
      const id = keyIdOf(sealed);
      if (id === current.id) return 'current';
      return keys.has(id) ? 'old' : 'unknown';
    },
  };
}
