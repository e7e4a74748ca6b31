/** The cache key: everything that the answer depends on, and the group that may share it. */
import { createHash } from 'node:crypto';
import type { Principal } from '../types/access.ts';
import { canonicalJson } from '../schema/canonical-json.ts';
import type { ChatRequest } from '../types/chat.ts';
import type { JsonObject } from '../types/json.ts';
import type { CacheSpec } from '../types/resources.ts';

/** Version of the stored form; part of each key. */
const form = 1;

export type Asker = Pick<Principal, 'tenant' | 'issuer' | 'subject' | 'roles' | 'permissions'>;

/** Streaming does not change the answer, so it is not part of the key. */
function question({ stream: _stream, stream_options: _options, ...rest }: JsonObject): JsonObject {
  return rest;
}

/** The parts of a chat request that reach the vendor, for every client format. */
export function askedOf({ body, native, translated }: ChatRequest): object {
  return {
    body: question(body),
    ...(native === undefined ? {} : { native: { ...native, body: question(native.body) } }),
    ...(translated === undefined ? {} : { translated }),
  };
}

/** False when parsing lost precision of a number: two different calls would share a key. */
export function isExact(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every(isExact);
}

/** The group that shares cached answers: one user, the same roles, or the tenant. */
function circleOf(asker: Asker, sharedBy: CacheSpec['shared_by']): readonly unknown[] {
  switch (sharedBy) {
    case 'user':
      return [asker.issuer, asker.subject];
    case 'roles':
      return [asker.issuer, [...new Set(asker.roles)].toSorted(), [...asker.permissions].toSorted()];
    case 'tenant':
      return [];
    default:
      return sharedBy satisfies never;
  }
}

export interface KeyParts {
  readonly asker: Asker;
  readonly sharedBy: CacheSpec['shared_by'];
  readonly model: string;
  /** Of the model's configuration. */
  readonly fingerprint: string;
  readonly operation: 'chat' | 'embeddings';
  readonly asked: object;
}

export function answerKey({ asker, sharedBy, model, fingerprint, operation, asked }: KeyParts): string {
  const parts = [form, asker.tenant, sharedBy, circleOf(asker, sharedBy), model, fingerprint, operation, asked];
  return createHash('sha256').update(canonicalJson(parts)).digest('base64url');
}
