/** What MCP servers offer, as it was approved and as it was last seen. */
import type { JsonObject } from './json.ts';

export const definitionKinds = ['tool', 'resource', 'template', 'prompt'] as const;
export type DefinitionKind = (typeof definitionKinds)[number];

/** One thing that a server offers, or offered. */
export interface PinnedDefinition {
  /** The id of the server's row. */
  readonly server: string;
  readonly tenant: string;
  readonly kind: DefinitionKind;
  /** The server's own name for it; a resource's URI, a template's URI template. */
  readonly name: string;
  /** `approved`: what is offered is what was approved. `changed`: it is not. `new`: it never was. */
  readonly state: 'approved' | 'changed' | 'new';
  /** True if the server offered it when last asked. */
  readonly present: boolean;
  /** As approved; null for what never was. */
  readonly definition: JsonObject | null;
  readonly digest: string;
  /** As offered now, where that is not what was approved. */
  readonly seenDefinition: JsonObject | null;
  readonly seenDigest: string | null;
  /** Epoch milliseconds. */
  readonly changedAt: number;
  /** Who approved it; null for what came with the server's first answer. */
  readonly decidedBy: string | null;
}

/** Each rejects with `storage_unavailable` if the database is away. */
export interface DefinitionStore {
  /** All of one server. */
  of(server: string): Promise<readonly PinnedDefinition[]>;
  /** Those of every server that changed at or after `time` (epoch milliseconds). */
  since(time: number): Promise<readonly PinnedDefinition[]>;
  /** All or nothing, over whatever was there; `gone` are taken away. Other nodes hear of it. */
  write(pins: readonly PinnedDefinition[], gone: readonly Pick<PinnedDefinition, 'server' | 'kind' | 'name'>[]): Promise<void>;
  /** Calls back when another process may have written. */
  watch(this: void, listener: () => void): () => void;
}
