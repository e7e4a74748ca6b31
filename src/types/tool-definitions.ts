/** Definitions of MCP servers: as approved and as last seen. */
import type { JsonObject } from './json.ts';

export const definitionKinds = ['tool', 'resource', 'template', 'prompt', 'instructions'] as const;
export type DefinitionKind = (typeof definitionKinds)[number];

/** One definition that a server offers or offered. */
export interface PinnedDefinition {
  /** The id of the server's row. */
  readonly server: string;
  readonly tenant: string;
  readonly kind: DefinitionKind;
  /** The server's name for it: a tool's or prompt's name, a resource's URI, a template's URI template. Instructions have the name `instructions`. */
  readonly name: string;
  /** `approved`: the current definition is the approved one. `changed`: it differs. `new`: it was never approved. */
  readonly state: 'approved' | 'changed' | 'new';
  /** True if the last listing contained it. */
  readonly present: boolean;
  /** The approved definition; null when never approved. */
  readonly definition: JsonObject | null;
  readonly digest: string;
  /** The current definition when it differs from the approved one. */
  readonly seenDefinition: JsonObject | null;
  readonly seenDigest: string | null;
  /** Epoch milliseconds. */
  readonly changedAt: number;
  /** The person who approved it. Null for definitions of the server's first listing. */
  readonly decidedBy: string | null;
}

/** Each method rejects with `storage_unavailable` when the database cannot be reached. */
export interface DefinitionStore {
  /** All definitions of one server. */
  of(server: string): Promise<readonly PinnedDefinition[]>;
  /** Definitions of every server that changed at or after `time` (epoch milliseconds). */
  since(time: number): Promise<readonly PinnedDefinition[]>;
  /** Writes all or nothing and overwrites existing rows; `gone` are deleted. Notifies the other nodes. */
  write(pins: readonly PinnedDefinition[], gone: readonly Pick<PinnedDefinition, 'server' | 'kind' | 'name'>[]): Promise<void>;
  /** Calls back when another process may have written. */
  watch(this: void, listener: () => void): () => void;
}
