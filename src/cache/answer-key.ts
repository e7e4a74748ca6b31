/** What makes two calls the same: everything that the answer depends on, and everybody who may share it. */
import { createHash } from 'node:crypto';
import type { Principal } from '../types/access.ts';
import { canonicalJson } from '../schema/canonical-json.ts';
import type { ChatRequest } from '../types/chat.ts';
import type { JsonObject } from '../types/json.ts';
import type { CacheSpec } from '../types/resources.ts';

/** Told in each key: answers that were kept in another form are not found. */
const form = 1;

export type Asker = Pick<Principal, 'tenant' | 'issuer' | 'subject' | 'roles' | 'permissions'>;

/** How the answer is brought is no part of the question. */
function question({ stream: _stream, stream_options: _options, ...rest }: JsonObject): JsonObject {
  return rest;
}

/** A chat as it goes to a vendor, whichever face it came by. */
export function askedOf({ body, native, translated }: ChatRequest): object {
  return {
    body: question(body),
    ...(native === undefined ? {} : { native: { ...native, body: question(native.body) } }),
    ...(translated === undefined ? {} : { translated }),
  };
}

/** False where a number was lost when the body was read: two calls that differ would be one. */
export function isExact(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every(isExact);
}

/** Whoever has the same circle gets the same answers. */
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
