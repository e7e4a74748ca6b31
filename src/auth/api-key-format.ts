/** The format of API keys: `pailou_<id>_<secret>`. Only a digest of the secret is stored. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

const start = 'pailou_';
const form = /^pailou_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

export interface NewKey {
  readonly id: string;
  /** The complete key, shown once. */
  readonly text: string;
  readonly hash: string;
}

/** 256 random bits need no slow hash, because they cannot be guessed. */
function digest(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

export function makeKey(): NewKey {
  const id = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return { id, text: `${start}${id}_${secret}`, hash: digest(secret) };
}

export function looksLikeKey(credential: string): boolean {
  return credential.startsWith(start);
}

/** Null for a text that is not a key. */
export function readKey(text: string): { readonly id: string; readonly hash: string } | null {
  const parts = form.exec(text);
  const [, id, secret] = parts ?? [];
  return id === undefined || secret === undefined ? null : { id, hash: digest(secret) };
}

export function sameHash(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
