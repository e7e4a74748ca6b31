/** Caches the approved definitions of each MCP server. Lists are served from memory; the database shares them between nodes; syncs run in the background. */
import { canonicalJson } from '../../../schema/canonical-json.ts';
import type { PinnedDefinition, DefinitionStore } from '../../../types/tool-definitions.ts';
import { GatewayError } from '../../../types/errors.ts';
import type { Logger } from '../../../types/logger.ts';
import type { McpServerEntry, Snapshot } from '../../../types/snapshot.ts';
import { emptyServerListing, type ServerListing, type ToolDefinition } from '../../../types/tool-source.ts';
import { type Approval, approvalsOf, type SeenItem } from './approvals.ts';
import { printableListing } from './printable-listing.ts';
import { compare, offered, definitionKey } from './compare-definitions.ts';
import { createDisabledDefinitions } from './disabled-definitions.ts';
import { monotonicNow } from '../../../scheduling/monotonic-clock.ts';

export interface ServerHealth {
  readonly tools: number;
  /** Number of definitions in quarantine, which wait for approval. */
  readonly quarantined: number;
  /** Epoch milliseconds of the last successful sync; null for never. */
  readonly syncedAt: number | null;
  readonly error: string | null;
  /** Definitions that the last listing left out, and why. */
  readonly problems: readonly string[];
}

export interface Catalogue {
  /** The approved listing, without tools that the administrator disabled. Never waits; starts a sync of an unknown server. */
  offer(server: McpServerEntry): ServerListing;
  /** `offer(server).tools`. */
  tools(server: McpServerEntry): readonly ToolDefinition[];
  /** True if the server's listing is known, from a sync or from the database. */
  known(server: McpServerEntry): boolean;
  /** How long (ms) a list should still wait for the first sync of a server. 0 for a server that is known, down, or no longer new. */
  patience(server: McpServerEntry): number;
  /** Resolves when the first sync of the server has ended, with or without success, or after `firstSyncMs`. Resolves at once for a known server. */
  ready(server: McpServerEntry): Promise<void>;
  /** Syncs the server now. Never rejects; errors are in `health`. */
  refresh(server: McpServerEntry): Promise<void>;
  health(server: McpServerEntry): ServerHealth;
  /** All known definitions of the server with this row id, also of a disabled one. Used to decide which server owns a name. */
  definitions(id: string): readonly PinnedDefinition[];
  /** All known definitions of a server, including those in quarantine. */
  items(server: McpServerEntry): readonly PinnedDefinition[];
  /** Approves the offered definitions that match the digests, all or none. Resolves with the changes. Throws `not_found` or `revision_conflict`. */
  approve(server: McpServerEntry, wanted: readonly SeenItem[], by: string): Promise<readonly Approval[]>;
  /** Calls `listener` when the approved listing of a server changed, on this node or on another. */
  onChange(listener: () => void): () => void;
  /** Applies a new configuration. New servers are synced at once. */
  follow(snapshot: Snapshot): void;
  close(): void;
}

interface Entry {
  server: McpServerEntry;
  pins: ReadonlyMap<string, PinnedDefinition>;
  offer: ServerListing;
  /** The row now connects to another server than that of the pins, and no sync has succeeded yet. Nothing is listed for it. */
  isReplaced: boolean;
  /** `offer` without disabled tools; null when it has to be computed again. */
  shown: { readonly allowed: readonly string[] | null; readonly offer: ServerListing } | null;
  syncedAt: number | null;
  syncStartedAt: number;
  usedAt: number;
  error: string | null;
  problems: readonly string[];
  running: Promise<void> | null;
  /** Settles with the first sync, with or without success. */
  first: Promise<void> | null;
  /** Start of the first sync; of the entry, before there is one. */
  waitedSince: number;
  /** The server announced a change during the current sync, so its result may be outdated. */
  stale: boolean;
  /** Times of recent syncs that an announcement caused. */
  announcedAt: number[];
  later: NodeJS.Timeout | null;
  stop: () => void;
}

export interface CatalogueOptions {
  readonly store: DefinitionStore;
  readonly logger: Logger;
  /** A server that no one uses is synced this much later after the start of the node. */
  readonly startPauseMs?: number;
  /** Called with definitions that this sync put into quarantine. */
  onQuarantine?(server: McpServerEntry, pins: readonly PinnedDefinition[]): void;
}

const firstSyncMs = 10_000;
/** Clients list once, when they connect, so a list waits this long for a server that was just registered or started. */
const firstListMs = 2_000;
const listTimeoutMs = 30_000;
/** A used server is synced again when its last sync is older than this. An unused one is synced too, if it was used within the last hour. */
const freshMs = 60_000;
const usedMs = 3_600_000;
const retryMs = 2_000;
/** Announcements within this time are merged, because servers send one for each kind of definition. */
const mergeMs = 25;
/** A server that announces more changes than this within `noisyMs` is synced only after a pause. */
const mostAnnouncements = 10;
const noisyMs = 10_000;
const noisyPauseMs = 1_000;
/** Clocks of other nodes may differ by this much. */
const overlapMs = 60_000;

/** The reason with the server's own text, for administrators of the server. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof GatewayError && typeof thrown.details === 'string') return `${thrown.message} (${thrown.details})`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function isKnown({ syncedAt, pins, isReplaced }: Entry): boolean {
  return syncedAt !== null || (pins.size > 0 && !isReplaced);
}

function connectionOf({ spec }: McpServerEntry): string {
  return canonicalJson([spec.kind, spec.options]);
}

export function createCatalogue(options: CatalogueOptions): Catalogue {
  const { store, logger } = options;
  const entries = new Map<string, Entry>();
  const disabled = createDisabledDefinitions();
  const listeners = new Set<() => void>();
  const closing = new AbortController();
  let readUpTo = 0;
  let isStarting = true;

  /** Replaces the pins. Returns true if that changes the approved listing. */
  const replacePins = (entry: Entry, pins: ReadonlyMap<string, PinnedDefinition>): boolean => {
    const before = JSON.stringify(entry.offer);
    entry.pins = pins;
    entry.offer = entry.isReplaced ? emptyServerListing : offered(pins);
    entry.shown = null;
    return JSON.stringify(entry.offer) !== before;
  };
  const notifyListeners = (): void => {
    for (const listener of listeners) listener();
  };

  /** Serializes read, compare and write for each server. Otherwise an approval during a comparison would be overwritten. */
  const queues = new Map<string, Promise<unknown>>();
  const serialize = <T>({ id }: McpServerEntry, work: () => Promise<T>): Promise<T> => {
    const result = (queues.get(id) ?? Promise.resolve()).then(work);
    const settled = result
      .catch(() => {})
      .finally(() => {
        if (queues.get(id) === settled) queues.delete(id);
      });
    queues.set(id, settled);
    return result;
  };
  const stored = async ({ id }: McpServerEntry): Promise<Map<string, PinnedDefinition>> =>
    new Map((await store.of(id)).map((pin) => [definitionKey(pin.kind, pin.name), pin]));

  /** Returns false for an outdated result: the row changed meanwhile and may name another server. */
  const compareNow = async (entry: Entry, server: McpServerEntry, offer: ServerListing): Promise<boolean> => {
    if (entries.get(server.id) !== entry || entry.server.instance !== server.instance) return false;
    const { id, capability, spec } = entry.server;
    const known = await stored(entry.server);
    const { changed, gone, quarantined } = compare({ id, tenant: capability.tenant }, known, offer, spec.new_tools, Date.now());
    if (changed.length + gone.length > 0) await store.write(changed, gone);
    for (const pin of changed) known.set(definitionKey(pin.kind, pin.name), pin);
    for (const pin of gone) known.delete(definitionKey(pin.kind, pin.name));
    entry.isReplaced = false;
    const isChanged = replacePins(entry, known);
    if (quarantined.length > 0) options.onQuarantine?.(entry.server, quarantined);
    if (isChanged) notifyListeners();
    return true;
  };

  const sync = (entry: Entry): Promise<void> => {
    entry.running ??= (async () => {
      const { server } = entry;
      entry.syncStartedAt = monotonicNow();
      entry.stale = false;
      try {
        const listed = await server.instance.list(AbortSignal.any([closing.signal, AbortSignal.timeout(listTimeoutMs)]));
        const offer = printableListing(listed);
        if (!(await serialize(server, () => compareNow(entry, server, offer)))) return;
        entry.syncedAt = Date.now();
        entry.error = null;
        entry.problems = offer.problems ?? [];
      } catch (thrown) {
        const reason = reasonOf(thrown);
        // Only our own text goes to the log: a server's text may contain other users' secrets.
        const message = thrown instanceof GatewayError ? thrown.message : 'the server answers with an error or not at all';
        if (entry.error === null && !closing.signal.aborted)
          logger.warn({ server: server.name, reason: message }, 'an MCP server cannot be listed; its last known definitions stay in use');
        entry.error = reason;
      } finally {
        entry.running = null;
      }
      if (entry.stale) scheduleResync(entry, 0);
    })();
    if (entry.first === null) entry.waitedSince = monotonicNow();
    entry.first ??= entry.running;
    return entry.running;
  };
  const syncSoon = (entry: Entry): void => {
    if (closing.signal.aborted) return;
    sync(entry).catch(() => {});
  };

  /** Schedules a sync after an announced change. A server that announces too often is synced after a pause. */
  const scheduleResync = (entry: Entry, pauseMs: number): void => {
    if (entry.running !== null) entry.stale = true;
    if (entry.running !== null || entry.later !== null) return;
    const now = monotonicNow();
    entry.announcedAt = [...entry.announcedAt.filter((at) => at > now - noisyMs), now];
    entry.later = setTimeout(
      () => {
        entry.later = null;
        syncSoon(entry);
      },
      entry.announcedAt.length > mostAnnouncements ? noisyPauseMs : pauseMs,
    ).unref();
  };

  /** Syncs a server that is unknown and was not used in the meantime. */
  const syncFirst = (entry: Entry, pauseMs: number): void => {
    if (pauseMs > 0) setTimeout(syncFirst, pauseMs, entry, 0).unref();
    else if (entries.get(entry.server.id) === entry && entry.pins.size === 0 && entry.syncStartedAt === 0) syncSoon(entry);
  };

  /** Starts a new sync after the current one, whose result may be outdated. */
  const resync = async (entry: Entry): Promise<void> => {
    await entry.running;
    await sync(entry);
  };

  const bind = (server: McpServerEntry): Entry => {
    const before = entries.get(server.id);
    const isSame = before !== undefined && connectionOf(before.server) === connectionOf(server);
    const entry: Entry = {
      server,
      pins: before?.pins ?? new Map(),
      offer: isSame ? before.offer : emptyServerListing,
      isReplaced: before !== undefined && (!isSame || before.isReplaced),
      shown: null,
      syncedAt: isSame ? before.syncedAt : null,
      syncStartedAt: 0,
      usedAt: before?.usedAt ?? 0,
      error: null,
      problems: isSame ? before.problems : [],
      running: null,
      first: null,
      waitedSince: monotonicNow(),
      stale: false,
      announcedAt: [],
      later: null,
      stop: () => {},
    };
    before?.stop();
    const stopListening = server.instance.onChange(() => scheduleResync(entry, mergeMs));
    entry.stop = () => {
      stopListening();
      clearTimeout(entry.later ?? undefined);
    };
    entries.set(server.id, entry);
    return entry;
  };

  const entryOf = (server: McpServerEntry): Entry => {
    const entry = entries.get(server.id) ?? bind(server);
    entry.usedAt = monotonicNow();
    if (entry.running === null && entry.usedAt - entry.syncStartedAt > (entry.error === null ? freshMs : retryMs)) syncSoon(entry);
    return entry;
  };

  /** Reads the definitions that other nodes stored. */
  const readStore = async (): Promise<void> => {
    const from = readUpTo;
    // Backwards too, after a step of the clock.
    readUpTo = Date.now() - overlapMs;
    const fresh = Map.groupBy(await store.since(from), (pin) => pin.server);
    let isChanged = false;
    for (const [id, pins] of fresh) {
      const entry = entries.get(id);
      disabled.add(id, pins);
      if (entry === undefined) continue;
      const known = new Map(entry.pins);
      for (const pin of pins)
        if ((known.get(definitionKey(pin.kind, pin.name))?.changedAt ?? 0) <= pin.changedAt)
          known.set(definitionKey(pin.kind, pin.name), pin);
      if (replacePins(entry, known)) isChanged = true;
    }
    if (isChanged) notifyListeners();
  };
  const readStoreSoon = (): void => {
    readStore().catch((thrown: unknown) => logger.warn({ err: thrown }, 'the stored definitions of MCP servers cannot be read'));
  };
  const stopWatching = store.watch(readStoreSoon);
  const timer = setInterval(() => {
    const now = monotonicNow();
    for (const entry of entries.values())
      if (entry.running === null && now - entry.usedAt < usedMs && now - entry.syncStartedAt > freshMs) syncSoon(entry);
  }, freshMs / 2);
  timer.unref();

  const offerOf = (server: McpServerEntry): ServerListing => {
    const entry = entryOf(server);
    const { allowed_tools: allowed } = server.spec;
    if (allowed === null) return entry.offer;
    if (entry.shown?.allowed !== allowed)
      entry.shown = { allowed, offer: { ...entry.offer, tools: entry.offer.tools.filter((tool) => allowed.includes(tool.name)) } };
    return entry.shown.offer;
  };

  return {
    offer: offerOf,
    tools: (server) => offerOf(server).tools,
    known(server) {
      const entry = entryOf(server);
      return isKnown(entry);
    },
    patience(server) {
      const entry = entryOf(server);
      if (isKnown(entry) || entry.error !== null) return 0;
      return Math.max(0, entry.waitedSince + firstListMs - monotonicNow());
    },
    async ready(server) {
      const entry = entryOf(server);
      // Waits for the first sync only, so that a server that hangs does not delay every later call.
      const left = entry.waitedSince + firstSyncMs - monotonicNow();
      if (isKnown(entry) || entry.error !== null || entry.first === null || left <= 0) return;
      let patience: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => {
        patience = setTimeout(resolve, left);
        patience.unref();
      });
      await Promise.race([entry.first, timeout]).finally(() => clearTimeout(patience));
    },
    refresh: (server) => resync(entries.get(server.id) ?? bind(server)),
    health(server) {
      const { offer, pins, syncedAt, error, problems } = entryOf(server);
      const quarantined = [...pins.values()].filter((pin) => pin.present && pin.state !== 'approved').length;
      return { tools: offer.tools.length, quarantined, syncedAt, error, problems };
    },
    definitions: (id) => {
      const entry = entries.get(id);
      return entry === undefined ? disabled.of(id) : [...entry.pins.values()];
    },
    items: (server) => [...entryOf(server).pins.values()],
    async approve(server, wanted, by) {
      const entry = entryOf(server);
      const approvals = await serialize(server, async () => {
        const known = await stored(server);
        const made = approvalsOf(server.name, known, wanted, by, Date.now());
        for (const { after } of made) known.set(definitionKey(after.kind, after.name), after);
        if (made.length > 0) {
          await store.write(
            made.map(({ after }) => after),
            [],
          );
        }
        if (replacePins(entries.get(server.id) ?? entry, known)) notifyListeners();
        return made;
      });
      // The server may have changed the definition again before the approval.
      const now = entries.get(server.id);
      if (approvals.length > 0 && now !== undefined) resync(now).catch(() => {});
      return approvals;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    follow(snapshot) {
      const servers = [...snapshot.tenants.values()].flatMap((view) => [...view.mcpServers.values()]);
      const live = new Set(servers.map((server) => server.id));
      const isUnread = disabled.follow(snapshot, (id) => entries.get(id)?.pins);
      for (const [id, entry] of entries) {
        if (live.has(id)) continue;
        entry.stop();
        entries.delete(id);
      }
      const fresh: Entry[] = [];
      const pauseMs = isStarting ? (options.startPauseMs ?? 0) : 0;
      isStarting = false;
      for (const server of servers) {
        const entry = entries.get(server.id);
        if (entry === undefined) fresh.push(bind(server));
        else if (entry.server.instance !== server.instance) syncSoon(bind(server));
        else entry.server = server;
      }
      if (fresh.length === 0 && !isUnread) return;
      // Reads all rows again, because a new row or a new node needs the definitions approved earlier.
      readUpTo = 0;
      readStore()
        .catch((thrown: unknown) => logger.warn({ err: thrown }, 'the stored definitions of MCP servers cannot be read'))
        .finally(() => {
          for (const entry of fresh) syncFirst(entry, pauseMs);
        });
    },
    close() {
      clearInterval(timer);
      stopWatching();
      closing.abort();
    },
  };
}
