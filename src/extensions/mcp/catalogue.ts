/** What each MCP server offers, kept in memory and refreshed in the background: a dead server never delays a list. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Json } from '../../types/json.ts';
import type { Logger } from '../../types/logger.ts';
import type { McpServerEntry } from '../../types/snapshot.ts';
import type { ToolDefinition, ToolSource } from '../../types/tool-source.ts';

export interface ServerHealth {
  readonly tools: number;
  /** Epoch milliseconds of the last good sync; null for never. */
  readonly syncedAt: number | null;
  readonly error: string | null;
}

export interface Catalogue {
  /** The tools as last known, less those that the administrator switched off. Never waits; begins to learn of a new server. */
  tools(server: McpServerEntry): readonly ToolDefinition[];
  /** True if the server has answered at least once. */
  known(server: McpServerEntry): boolean;
  /** Resolves when the server was asked for the first time, well or not, or after `firstSyncMs`. At once for a known one. */
  ready(server: McpServerEntry): Promise<void>;
  refresh(server: McpServerEntry): Promise<void>;
  health(server: McpServerEntry): ServerHealth;
  /** Calls back when a server's tools changed. */
  onChange(listener: () => void): () => void;
  close(): void;
}

/** A definition and its fingerprint: a changed one can be told from what was approved. */
export interface CataloguedTool extends ToolDefinition {
  readonly digest: string;
}

interface Entry {
  tools: readonly CataloguedTool[];
  syncedAt: number | null;
  askedAt: number;
  error: string | null;
  underWay: Promise<void> | null;
  /** Settles with the first answer, well or not. */
  first: Promise<void> | null;
  readonly madeAt: number;
  /** What decides which server it is: two that are equal here have the same tools. */
  readonly connection: string;
  /** The server announced a change after it was asked: the answer under way may be old already. */
  stale: boolean;
}

const firstSyncMs = 10_000;
const listTimeoutMs = 30_000;
/** Tools are asked for again when they are wanted and this old. */
const freshMs = 60_000;
const retryMs = 2_000;
/** Rows whose last known tools outlive an edit. */
const mostRows = 10_000;

/** The same for the same content, whatever the order of the keys. */
export function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map((each: Json) => canonicalJson(each)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return `{${entries
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`)
      .join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

function catalogued(tool: ToolDefinition): CataloguedTool {
  const { name, title, description, inputSchema, outputSchema, annotations } = tool;
  const canonical = canonicalJson({ name, title, description, inputSchema, outputSchema, annotations });
  return { ...tool, digest: createHash('sha256').update(canonical).digest('hex') };
}

export function createCatalogue(options: { readonly logger: Logger }): Catalogue {
  const { logger } = options;
  /** By instance: a changed row has a new instance, which is asked anew. */
  const entries = new WeakMap<ToolSource, Entry>();
  /** The latest entry of each row: an edit that leads to the same server must not empty its list for a while. */
  const latest = new LRUCache<string, Entry>({ max: mostRows });
  const listeners = new Set<() => void>();
  const closing = new AbortController();

  const sync = (server: McpServerEntry, entry: Entry): Promise<void> => {
    entry.underWay ??= (async () => {
      entry.askedAt = Date.now();
      entry.stale = false;
      try {
        const tools = (await server.instance.list(AbortSignal.any([closing.signal, AbortSignal.timeout(listTimeoutMs)]))).map(catalogued);
        const changed = tools.map((tool) => tool.digest).join() !== entry.tools.map((tool) => tool.digest).join();
        entry.tools = tools;
        entry.syncedAt = Date.now();
        entry.error = null;
        if (changed) for (const listener of listeners) listener();
      } catch (thrown) {
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        if (entry.error === null && !closing.signal.aborted)
          logger.warn({ server: server.name, reason }, 'an MCP server cannot be asked for its tools; the last known ones are shown');
        entry.error = reason;
      } finally {
        entry.underWay = null;
      }
      if (entry.stale && !closing.signal.aborted) await sync(server, entry);
    })();
    entry.first ??= entry.underWay;
    return entry.underWay;
  };

  const entryOf = (server: McpServerEntry): Entry => {
    let entry = entries.get(server.instance);
    if (entry === undefined) {
      const row = JSON.stringify([server.capability.tenant, server.id]);
      const connection = canonicalJson([server.spec.kind, server.spec.options]);
      const before = latest.get(row);
      const known = before?.connection === connection ? before : null;
      const made: Entry = {
        tools: known?.tools ?? [],
        syncedAt: known?.syncedAt ?? null,
        askedAt: 0,
        error: null,
        underWay: null,
        first: null,
        madeAt: Date.now(),
        connection,
        stale: false,
      };
      entries.set(server.instance, (entry = made));
      latest.set(row, made);
      server.instance.onChange(() => {
        made.stale = made.underWay !== null;
        sync(server, made).catch(() => {});
      });
    }
    const age = Date.now() - entry.askedAt;
    if (entry.underWay === null && !closing.signal.aborted && age > (entry.error === null ? freshMs : retryMs))
      sync(server, entry).catch(() => {});
    return entry;
  };

  return {
    tools(server) {
      const { tools } = entryOf(server);
      const { allowed_tools: allowed } = server.spec;
      return allowed === null ? tools : tools.filter((tool) => allowed.includes(tool.name));
    },
    known: (server) => entryOf(server).syncedAt !== null,
    async ready(server) {
      const entry = entryOf(server);
      // Only the first answer is worth waiting for: a server that hangs must not hold up every later call as well.
      const left = entry.madeAt + firstSyncMs - Date.now();
      if (entry.syncedAt !== null || entry.error !== null || entry.first === null || left <= 0) return;
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, left);
        timer.unref();
      });
      await Promise.race([entry.first, patience]).finally(() => clearTimeout(timer));
    },
    refresh: (server) => sync(server, entryOf(server)),
    health(server) {
      const { tools, syncedAt, error } = entryOf(server);
      return { tools: tools.length, syncedAt, error };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => closing.abort(),
  };
}
