/** Secrets at rest: AES-256-GCM, bound to the place where they belong. */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { GatewayError } from '../types/errors.ts';

/** A sealed text: `v1.<key id>.<iv>.<tag>.<ciphertext>`, the last three in base64url. */
export interface Sealed {
  readonly $sealed: string;
}

export interface MasterKey {
  /** Told in each sealed text, so that keys can be changed while old texts still open. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

export interface SecretBox {
  /** `context` (tenant and row) must be the same at `open`: a sealed text moved to another row does not open. */
  seal(plain: string, context: string): Sealed;
  /** Throws `internal_error` for a text that was changed, moved, or sealed with a key that is not here. */
  open(sealed: Sealed, context: string): string;
}

/** A key's id is a digest of it: the same key has the same id on every node. */
export function masterKey(key: Buffer): MasterKey {
  return { id: createHash('sha256').update('pailou key id').update(key).digest('base64url').slice(0, 8), key };
}

/** A key for one purpose alone, the same on every node. */
export function derivedKey({ key }: MasterKey, purpose: string): MasterKey {
  return masterKey(Buffer.from(hkdfSync('sha256', key, '', `pailou ${purpose}`, 32)));
}

export function isSealed(value: unknown): value is Sealed {
  return typeof value === 'object' && value !== null && typeof (value as Sealed).$sealed === 'string' && Object.keys(value).length === 1;
}

/** What is shown instead of a secret. Written back, it keeps the stored one. */
export const mask = '***';

/** A copy of JSON with each sealed text as `***`. */
export function maskSealed(value: unknown): unknown {
  if (isSealed(value)) return mask;
  if (Array.isArray(value)) return value.map(maskSealed);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskSealed(inner)]));
  return value;
}

export function createSecretBox(options: { readonly current: MasterKey; readonly old?: readonly MasterKey[] }): SecretBox {
  const { current } = options;
  const keys = new Map([current, ...(options.old ?? [])].map((each) => [each.id, each.key]));
  const unreadable = (reason: string): GatewayError =>
    new GatewayError(
      'internal_error',
      'A stored secret cannot be opened with the master key of this node. Check PAILOU_MASTER_KEY, or enter the secret again.',
      { details: reason },
    );
  return {
    seal(plain, context) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', current.key, iv);
      cipher.setAAD(Buffer.from(context));
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return {
        $sealed: ['v1', current.id, iv.toString('base64url'), cipher.getAuthTag().toString('base64url'), text.toString('base64url')].join(
          '.',
        ),
      };
    },
    open(sealed, context) {
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
    },
  };
}
