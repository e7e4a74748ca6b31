/** What each MCP server offers, as far as it is approved: in memory for every list, in the database for every node, synced in the background. */
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

export interface ServerHealth {
  readonly tools: number;
  /** Definitions that are withheld until somebody approves them. */
  readonly quarantined: number;
  /** Epoch milliseconds of the last good sync; null for never. */
  readonly syncedAt: number | null;
  readonly error: string | null;
}

export interface Catalogue {
  /** What may be shown and used, less the tools that the administrator switched off. Never waits; begins to learn of a new server. */
  offer(server: McpServerEntry): ServerListing;
  /** `offer(server).tools`. */
  tools(server: McpServerEntry): readonly ToolDefinition[];
  /** True if what the server offers is known, from its own answer or from the database. */
  known(server: McpServerEntry): boolean;
  /** How long (ms) a list should still wait for the first answer of a server: 0 for one that is known, down, or not new any more. */
  patience(server: McpServerEntry): number;
  /** Resolves when the server was asked for the first time, well or not, or after `firstSyncMs`. At once for a known one. */
  ready(server: McpServerEntry): Promise<void>;
  /** Asks the server now. Never rejects: see `health`. */
  refresh(server: McpServerEntry): Promise<void>;
  health(server: McpServerEntry): ServerHealth;
  /** All that is known of the server with this row id, also of one that is switched off: whose names are whose. */
  definitions(id: string): readonly PinnedDefinition[];
  /** All that is known of a server, also what is withheld. */
  items(server: McpServerEntry): readonly PinnedDefinition[];
  /** Approves what is offered now, if it is what the digests name: all of it or nothing. Resolves with what it changed. Throws `not_found` or `revision_conflict`. */
  approve(server: McpServerEntry, wanted: readonly SeenItem[], by: string): Promise<readonly Approval[]>;
  /** Calls back when what may be shown has changed, here or on another node. */
  onChange(listener: () => void): () => void;
  /** Takes the servers of a new configuration; those that are new are asked at once. */
  follow(snapshot: Snapshot): void;
  close(): void;
}

interface Entry {
  server: McpServerEntry;
  pins: ReadonlyMap<string, PinnedDefinition>;
  offer: ServerListing;
  /** The row leads to another server than the one that the pins are of, which has not answered yet: nothing is promised for it. */
  isOther: boolean;
  /** `offer` less what is switched off; null when it has to be made again. */
  shown: { readonly allowed: readonly string[] | null; readonly offer: ServerListing } | null;
  syncedAt: number | null;
  askedAt: number;
  wantedAt: number;
  error: string | null;
  underWay: Promise<void> | null;
  /** Settles with the first answer, well or not. */
  first: Promise<void> | null;
  readonly madeAt: number;
  /** The server announced a change after it was asked: the answer under way may be old already. */
  stale: boolean;
  /** When it was asked of late because it announced a change. */
  heard: number[];
  later: NodeJS.Timeout | null;
  stop: () => void;
}

export interface CatalogueOptions {
  readonly store: DefinitionStore;
  readonly logger: Logger;
  /** Definitions that were approved, or never seen, are withheld now. */
  onQuarantine?(server: McpServerEntry, pins: readonly PinnedDefinition[]): void;
}

const firstSyncMs = 10_000;
/** A client asks for its list once, when it connects: a server that was just registered, or just started, is worth a moment. */
const firstListMs = 2_000;
const listTimeoutMs = 30_000;
/** A server is asked again when it is wanted and its answer is this old; and without being wanted, if it was within the last hour. */
const freshMs = 60_000;
const wantedMs = 3_600_000;
const retryMs = 2_000;
/** So long it may take a server to announce one change for each sort. */
const hearMs = 25;
/** A server that announces so many changes in so short a time is asked again only after a pause. */
const mostHeard = 10;
const noisyMs = 10_000;
const noisyPauseMs = 1_000;
/** Other nodes' clocks may differ by so much. */
const overlapMs = 60_000;

/** With the server's own words, for those who manage it. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof GatewayError && typeof thrown.details === 'string') return `${thrown.message} (${thrown.details})`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function isKnown({ syncedAt, pins, isOther }: Entry): boolean {
  return syncedAt !== null || (pins.size > 0 && !isOther);
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

  /** Takes over new pins; true if that changes what may be shown. */
  const take = (entry: Entry, pins: ReadonlyMap<string, PinnedDefinition>): boolean => {
    const before = JSON.stringify(entry.offer);
    entry.pins = pins;
    entry.offer = entry.isOther ? emptyServerListing : offered(pins);
    entry.shown = null;
    return JSON.stringify(entry.offer) !== before;
  };
  const tell = (): void => {
    for (const listener of listeners) listener();
  };

  /** To read, to decide and to write is one thing: an approval in the middle of a comparison would be forgotten here. */
  const turns = new Map<string, Promise<unknown>>();
  const inTurn = <T>({ id }: McpServerEntry, work: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(id) ?? Promise.resolve()).then(work);
    const settled = turn
      .catch(() => {})
      .finally(() => {
        if (turns.get(id) === settled) turns.delete(id);
      });
    turns.set(id, settled);
    return turn;
  };
  const stored = async ({ id }: McpServerEntry): Promise<Map<string, PinnedDefinition>> =>
    new Map((await store.of(id)).map((pin) => [definitionKey(pin.kind, pin.name), pin]));

  /** False for an answer that counts no more: the row has changed meanwhile, and it may be another server's. */
  const compareNow = async (entry: Entry, server: McpServerEntry, offer: ServerListing): Promise<boolean> => {
    if (entries.get(server.id) !== entry || entry.server.instance !== server.instance) return false;
    const { id, capability, spec } = entry.server;
    const known = await stored(entry.server);
    const { changed, gone, quarantined } = compare({ id, tenant: capability.tenant }, known, offer, spec.new_tools, Date.now());
    if (changed.length + gone.length > 0) await store.write(changed, gone);
    for (const pin of changed) known.set(definitionKey(pin.kind, pin.name), pin);
    for (const pin of gone) known.delete(definitionKey(pin.kind, pin.name));
    entry.isOther = false;
    const news = take(entry, known);
    if (quarantined.length > 0) options.onQuarantine?.(entry.server, quarantined);
    if (news) tell();
    return true;
  };

  const sync = (entry: Entry): Promise<void> => {
    entry.underWay ??= (async () => {
      const { server } = entry;
      entry.askedAt = Date.now();
      entry.stale = false;
      try {
        const listed = await server.instance.list(AbortSignal.any([closing.signal, AbortSignal.timeout(listTimeoutMs)]));
        const offer = printableListing(listed);
        if (!(await inTurn(server, () => compareNow(entry, server, offer)))) return;
        entry.syncedAt = Date.now();
        entry.error = null;
      } catch (thrown) {
        const reason = reasonOf(thrown);
        // In the log only our own words: a server may say anything, other people's secrets too.
        const said = thrown instanceof GatewayError ? thrown.message : 'it does not answer as it should';
        if (entry.error === null && !closing.signal.aborted)
          logger.warn(
            { server: server.name, reason: said },
            'an MCP server cannot be asked for what it offers; what was last known is shown',
          );
        entry.error = reason;
      } finally {
        entry.underWay = null;
      }
      if (entry.stale) hear(entry, 0);
    })();
    entry.first ??= entry.underWay;
    return entry.underWay;
  };
  const syncSoon = (entry: Entry): void => {
    if (closing.signal.aborted) return;
    sync(entry).catch(() => {});
  };

  /** The server says that its offer changed, often once for each sort. One that says so without end is asked after a pause. */
  const hear = (entry: Entry, pauseMs: number): void => {
    if (entry.underWay !== null) entry.stale = true;
    if (entry.underWay !== null || entry.later !== null) return;
    const now = Date.now();
    entry.heard = [...entry.heard.filter((at) => at > now - noisyMs), now];
    entry.later = setTimeout(
      () => {
        entry.later = null;
        syncSoon(entry);
      },
      entry.heard.length > mostHeard ? noisyPauseMs : pauseMs,
    ).unref();
  };

  /** Asks; the answer to an earlier question may be an old one. */
  const askNow = async (entry: Entry): Promise<void> => {
    await entry.underWay;
    await sync(entry);
  };

  const bind = (server: McpServerEntry): Entry => {
    const before = entries.get(server.id);
    const isSame = before !== undefined && connectionOf(before.server) === connectionOf(server);
    const entry: Entry = {
      server,
      pins: before?.pins ?? new Map(),
      offer: isSame ? before.offer : emptyServerListing,
      isOther: before !== undefined && (!isSame || before.isOther),
      shown: null,
      syncedAt: isSame ? before.syncedAt : null,
      askedAt: 0,
      wantedAt: before?.wantedAt ?? 0,
      error: null,
      underWay: null,
      first: null,
      madeAt: Date.now(),
      stale: false,
      heard: [],
      later: null,
      stop: () => {},
    };
    before?.stop();
    const unhear = server.instance.onChange(() => hear(entry, hearMs));
    entry.stop = () => {
      unhear();
      clearTimeout(entry.later ?? undefined);
    };
    entries.set(server.id, entry);
    return entry;
  };

  const entryOf = (server: McpServerEntry): Entry => {
    const entry = entries.get(server.id) ?? bind(server);
    entry.wantedAt = Date.now();
    if (entry.underWay === null && entry.wantedAt - entry.askedAt > (entry.error === null ? freshMs : retryMs)) syncSoon(entry);
    return entry;
  };

  /** What other nodes found or decided. */
  const readStore = async (): Promise<void> => {
    const from = readUpTo;
    readUpTo = Math.max(readUpTo, Date.now() - overlapMs);
    const fresh = Map.groupBy(await store.since(from), (pin) => pin.server);
    let news = false;
    for (const [id, pins] of fresh) {
      const entry = entries.get(id);
      disabled.add(id, pins);
      if (entry === undefined) continue;
      const known = new Map(entry.pins);
      for (const pin of pins)
        if ((known.get(definitionKey(pin.kind, pin.name))?.changedAt ?? 0) <= pin.changedAt)
          known.set(definitionKey(pin.kind, pin.name), pin);
      if (take(entry, known)) news = true;
    }
    if (news) tell();
  };
  const readStoreSoon = (): void => {
    readStore().catch((thrown: unknown) => logger.warn({ err: thrown }, 'the catalogue of MCP servers cannot be read'));
  };
  const stopWatching = store.watch(readStoreSoon);
  const timer = setInterval(() => {
    const now = Date.now();
    for (const entry of entries.values())
      if (entry.underWay === null && now - entry.wantedAt < wantedMs && now - entry.askedAt > freshMs) syncSoon(entry);
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
      return Math.max(0, entry.madeAt + firstListMs - Date.now());
    },
    async ready(server) {
      const entry = entryOf(server);
      // Only the first answer is worth waiting for: a server that hangs must not hold up every later call as well.
      const left = entry.madeAt + firstSyncMs - Date.now();
      if (isKnown(entry) || entry.error !== null || entry.first === null || left <= 0) return;
      let patience: NodeJS.Timeout | undefined;
      const tired = new Promise<void>((resolve) => {
        patience = setTimeout(resolve, left);
        patience.unref();
      });
      await Promise.race([entry.first, tired]).finally(() => clearTimeout(patience));
    },
    refresh: (server) => askNow(entries.get(server.id) ?? bind(server)),
    health(server) {
      const { offer, pins, syncedAt, error } = entryOf(server);
      const quarantined = [...pins.values()].filter((pin) => pin.present && pin.state !== 'approved').length;
      return { tools: offer.tools.length, quarantined, syncedAt, error };
    },
    definitions: (id) => {
      const entry = entries.get(id);
      return entry === undefined ? disabled.of(id) : [...entry.pins.values()];
    },
    items: (server) => [...entryOf(server).pins.values()],
    async approve(server, wanted, by) {
      const entry = entryOf(server);
      const approvals = await inTurn(server, async () => {
        const known = await stored(server);
        const made = approvalsOf(server.name, known, wanted, by, Date.now());
        for (const { after } of made) known.set(definitionKey(after.kind, after.name), after);
        if (made.length > 0) {
          await store.write(
            made.map(({ after }) => after),
            [],
          );
        }
        if (take(entries.get(server.id) ?? entry, known)) tell();
        return made;
      });
      // The server may have changed it again before it was approved.
      const now = entries.get(server.id);
      if (approvals.length > 0 && now !== undefined) askNow(now).catch(() => {});
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
      for (const server of servers) {
        const entry = entries.get(server.id);
        if (entry === undefined) fresh.push(bind(server));
        else if (entry.server.instance !== server.instance) syncSoon(bind(server));
        else entry.server = server;
      }
      if (fresh.length === 0 && !isUnread) return;
      // A row that comes back, or a node that starts, finds in the database what was approved.
      readUpTo = 0;
      readStore()
        .catch((thrown: unknown) => logger.warn({ err: thrown }, 'the catalogue of MCP servers cannot be read'))
        .finally(() => {
          for (const entry of fresh) if (entry.pins.size === 0 && entry.askedAt === 0) syncSoon(entry);
        });
    },
    close() {
      clearInterval(timer);
      stopWatching();
      closing.abort();
    },
  };
}
