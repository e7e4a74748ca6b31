/** The configuration service: builds snapshots from rows and swaps them by one reference. A write is refused as a whole or takes effect everywhere. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createModelCatalogue } from '../models/catalogue/catalogue.ts';
import type { PluginRegistry } from '../plugins/registry.ts';
import { maskRow, type SecretBox } from '../storage/secret-box.ts';
import type { ConfigChange, ConfigStore, HistoryEntry, HistoryQuery } from '../types/config-store.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Accounts } from '../types/accounts.ts';
import type { ModelCatalogue } from '../types/known-model.ts';
import type { PluginServices } from '../types/plugin.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { HeldSnapshot, Snapshot, SnapshotChange } from '../types/snapshot.ts';
import type { Writer } from '../types/writes.ts';
import { authorizeChange, authorizeRow, type WriteScene } from './authorize-write.ts';
import { RightLost } from './deployment-rights.ts';
import { createDrafts, type Drafts } from './drafts.ts';
import { createInstanceFactory, type ProxiedFetch } from './instances.ts';
import { createInstanceLifetimes } from './instance-lifetimes.ts';
import { createLastGood } from './last-good/keep.ts';
import { readLastGood } from './last-good/read.ts';
import { grantsOfDeleted } from './grant-targets.ts';
import { isComplete, type Mutation, planChange } from './mutations.ts';
import { type Applied, locateProblem, planRows, type WantedRow } from './apply.ts';
import { requireUnlocked } from './file-owned.ts';
import { describeAll, type Kinds } from './kinds/kinds.ts';
import { createPersonNames, type PersonNames } from './person-names.ts';
import { changesOf, type OneRow, requireHistory, undoSince } from './rollback.ts';
import { showPeople } from './row-people.ts';
import { RowSet } from './row-set.ts';
import { type Built, type BuiltProblem, emptyBuilt } from './snapshot/built.ts';
import { changeOf } from './snapshot/change.ts';
import { createSnapshotBuilder } from './snapshot-builder.ts';
import { alwaysUtc, type TimeZones } from './time-zones.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface ConfigHealth {
  readonly revision: number;
  /** The revision as last seen; null while the database is away. */
  readonly databaseRevision: number | null;
  /** True when the serving configuration may be older than the database. */
  readonly stale: boolean;
  readonly lastError: string | null;
}

export interface Written {
  readonly revision: number;
  /** The names of the grants that were deleted with their row. */
  readonly deletedGrants: readonly string[];
}

export interface ConfigService extends Drafts {
  /** How people are written in the API. */
  readonly people: PersonNames;
  /** The model catalogue. */
  readonly catalogue: ModelCatalogue;
  /** The kinds of plugins and rows, described for forms. */
  kinds(): Kinds;
  start(): Promise<void>;
  current(): Snapshot;
  /** The current snapshot for one call; its instances live until `release`. */
  hold(): HeldSnapshot;
  onSwap(listener: (snapshot: Snapshot, change: SnapshotChange) => void): () => void;
  rows(tenant: string, kind: ResourceKind): readonly ConfigRow[];
  row(tenant: string, kind: ResourceKind, name: string): ConfigRow | undefined;
  /** All rows of the current revision. */
  rowSet(): RowSet;
  /** All or nothing; live on this node when it resolves. Each change is authorized within its turn. Throws the error for the caller. */
  change(writer: Writer, mutations: readonly Mutation[], summary: string): Promise<Written>;
  /**
   * Makes the rows as wanted, and deletes `removed`: all or nothing. Rows that are so already stay. With `dryRun` everything is validated
   * and nothing written.
   */
  apply(
    writer: Writer,
    wanted: readonly WantedRow[],
    options: { readonly removed: readonly ConfigRow[]; readonly summary: string; readonly dryRun: boolean },
  ): Promise<Applied>;
  history(query: HistoryQuery): Promise<readonly HistoryEntry[]>;
  /** Restores the tenant's rows of `revision` as a new revision. */
  rollback(writer: Writer, revision: number, only?: OneRow): Promise<{ revision: number; changes: number }>;
  /** The row for people: each secret as `***`, people as the API writes them. */
  mask(row: ConfigRow): ConfigRow;
  health(): ConfigHealth;
  close(): Promise<void>;
}

export interface ConfigServiceOptions {
  readonly store: ConfigStore;
  readonly registry: PluginRegistry;
  readonly services: PluginServices;
  /** Like `services`, for rows without an administrator's approval. */
  readonly developerServices: PluginServices;
  /** Default: rows with a proxy of their own use the `fetch` of the services. */
  readonly proxied?: ProxiedFetch;
  readonly secrets: SecretBox;
  /** Default: the built-in catalogue. */
  readonly catalogue?: ModelCatalogue;
  /** Default: UTC. */
  readonly timeZones?: TimeZones;
  /** Accounts of people at the MCP server with this row id. */
  readonly accounts?: (row: string) => Accounts;
  /** Default: no issuer is configured, and names stay unchanged. */
  readonly people?: PersonNames;
  readonly dataDir: string;
  readonly logger: Logger;
  /** Polling behind the database's own notification, in milliseconds. */
  readonly pollMs?: number;
}

interface WriteOptions {
  /** Validates and writes nothing. */
  readonly dryRun?: boolean;
  /** The error for a problem of a written row. */
  readonly locate?: (problem: BuiltProblem) => unknown;
}

const closePatienceMs = 3_000;
const commitAttempts = 8;
/** The longest delay of a Node timer. */
const longestTimerMs = 2_000_000_000;

export function createConfigService(options: ConfigServiceOptions): ConfigService {
  const { store, logger, secrets, people = createPersonNames([]), catalogue = createModelCatalogue(), timeZones = alwaysUtc } = options;
  const factory = createInstanceFactory(options);
  const builder = createSnapshotBuilder(factory, options.registry, catalogue, timeZones);
  const lifetimes = createInstanceLifetimes((handle) => factory.dispose(handle));
  const lastGood = createLastGood(options);
  const listeners = new Set<(snapshot: Snapshot, change: SnapshotChange) => void>();
  let current = emptyBuilt();
  let databaseRevision: number | null = null;
  let lastError: string | null = null;
  /** Rows from the disk may be older than the database's of the same revision, so the database is read in full. */
  let fromDisk = false;
  let queue: Promise<unknown> = Promise.resolve();
  let poll: NodeJS.Timeout | undefined;
  let rightsTimer: NodeJS.Timeout | undefined;
  let stopWatch: () => void = () => {};

  /** Serialises builds and writes. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => {});
    return turn;
  };

  /** The expiry of a grant changes nothing in the database, so a timer rebuilds what depends on it. */
  const watchRights = ({ until }: Built): void => {
    clearTimeout(rightsTimer);
    if (until === Infinity) return;
    rightsTimer = setTimeout(
      () => void inTurn(async () => swap(await builder.build(current.rows, current.snapshot.revision, current))).catch(() => {}),
      Math.min(Math.max(0, until - Date.now()), longestTimerMs),
    );
    rightsTimer.unref();
  };

  const swap = (next: Built): void => {
    const previous = current;
    lifetimes.follow(next);
    current = next;
    lifetimes.release(previous);
    watchRights(next);
    for (const problem of newProblems(next, previous))
      logger.warn({ ...problem, error: undefined }, 'a configuration row cannot be used and is left out');
    const change = changeOf(next, previous);
    for (const listener of listeners) listener(next.snapshot, change);
    lastGood.keep(next.snapshot.revision, next.rows);
  };

  const discard = (candidate: Built): void => candidate.added.forEach((handle) => factory.dispose(handle));

  /** Follows the database. Reads only changes; a database that went back is read in full. */
  const reload = async (): Promise<void> => {
    try {
      const revision = await store.revision();
      databaseRevision = revision;
      lastError = null;
      if (revision === current.snapshot.revision && !fromDisk) return;
      if (fromDisk || revision < current.snapshot.revision || current.snapshot.revision === 0) {
        const state = await store.load();
        fromDisk = false;
        swap(await builder.build(RowSet.of(state.rows), state.revision, current));
      } else {
        const changes = await store.changesSince(current.snapshot.revision);
        swap(await builder.build(current.rows.with(changes), changes.at(-1)?.revision ?? revision, current));
      }
      logger.info({ revision: current.snapshot.revision }, 'configuration is live');
    } catch (thrown) {
      const error = toGatewayError(thrown);
      if (lastError === null) logger.warn({ err: error }, 'the configuration cannot be read; the last good one stays in use');
      lastError = error.message;
      databaseRevision = null;
      throw error;
    }
  };

  const refuseNewProblems = (candidate: Built, changes: readonly ConfigChange[], locate: (problem: BuiltProblem) => unknown): void => {
    const fresh = newProblems(candidate, current).filter(
      // A change that withdraws a right may take out what depends on it. One tenant never keeps another from withdrawing what it shares.
      (problem) =>
        changes.some(({ tenant }) => tenant === problem.tenant) &&
        (!(problem.error instanceof RightLost) || changes.some((change) => isAbout(problem, change))),
    );
    const first = fresh[0];
    if (first === undefined) return;
    const own = fresh.find((problem) => changes.some((change) => isAbout(problem, change)));
    if (own !== undefined) throw locate(own);
    const users = [...new Set(fresh.map((problem) => `${problem.kind} "${problem.name}"`))].slice(0, 5).join(', ');
    const removed = changes.find((change) => change.after === null);
    if (removed !== undefined)
      throw new GatewayError(
        'in_use',
        `The ${removed.kind} "${removed.before?.name}" is still used by ${users}. Change or delete that first.`,
      );
    throw new GatewayError('configuration_invalid', `This change would break ${users}: ${first.message}`);
  };

  const sceneOf = (tenant: string): WriteScene => ({ rows: current.rows, grants: current.snapshot.tenant(tenant).grants, factory });

  /** Builds, validates, commits, swaps. Calls `plan` again when another process wrote in between. */
  const write = async (
    { actor }: Writer,
    summary: string,
    plan: (scene: WriteScene, revision: number) => Promise<readonly ConfigChange[]>,
    { dryRun = false, locate = ({ error }) => error }: WriteOptions = {},
  ): Promise<{ revision: number; changes: readonly ConfigChange[] }> =>
    inTurn(async () => {
      for (let attempt = 0; attempt < commitAttempts; attempt++) {
        const { revision } = current.snapshot;
        const changes = await plan(sceneOf(actor.tenant), revision + 1);
        if (changes.length === 0) return { revision, changes };
        const candidate = await builder.build(current.rows.with(changes), revision + 1, current);
        try {
          refuseNewProblems(candidate, changes, locate);
          if (dryRun) {
            discard(candidate);
            return { revision, changes };
          }
          const committed = await store.commit(revision, changes, actor, summary);
          if (committed !== null) {
            databaseRevision = committed;
            swap(candidate);
            return { revision: committed, changes };
          }
        } catch (thrown) {
          discard(candidate);
          throw thrown;
        }
        discard(candidate);
        await reload();
      }
      throw new GatewayError('revision_conflict', 'Other nodes keep changing the configuration. Try again in a moment.');
    });

  const follow = (): void => {
    inTurn(reload).catch(() => {});
  };

  return {
    catalogue,
    kinds: () => describeAll(options.registry),
    ...createDrafts({ factory, secrets, scene: sceneOf, current: () => current }),

    async start() {
      try {
        await inTurn(reload);
      } catch (thrown) {
        const kept = await readLastGood(options.dataDir);
        if (kept === null) throw thrown;
        fromDisk = true;
        const rows = RowSet.of(kept.rows);
        lastGood.restored(kept.revision, rows);
        await inTurn(async () => swap(await builder.build(rows, kept.revision, current)));
        logger.warn({ revision: kept.revision }, 'the database is away; the last good configuration serves');
      }
      stopWatch = store.watch(follow);
      poll = setInterval(follow, options.pollMs ?? 2_000);
      poll.unref();
    },

    current: () => current.snapshot,

    hold() {
      const built = current;
      lifetimes.hold(built);
      let held = true;
      return {
        snapshot: built.snapshot,
        release() {
          if (!held) return;
          held = false;
          lifetimes.release(built);
        },
      };
    },

    onSwap(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    rows: (tenant, kind) => [...current.rows.group(kind, tenant).values()],
    row: (tenant, kind, name) => current.rows.group(kind, tenant).get(name),
    rowSet: () => current.rows,

    async change(writer, mutations, summary) {
      let deletedGrants: readonly string[] = [];
      const { revision } = await write(writer, summary, async (scene, next) => {
        const changes: ConfigChange[] = [];
        let { rows } = scene;
        for (const mutation of mutations) {
          const stored = rows.group(mutation.kind, mutation.tenant).get(mutation.name);
          if (stored !== undefined && mutation.operation !== 'create') {
            requireUnlocked(stored, writer);
            authorizeRow(writer, mutation.kind, stored, { ...scene, rows });
          }
          const change = planChange(mutation, rows, next, writer.actor, factory, secrets, people);
          const authorized = authorizeChange(writer, change, { ...scene, rows }, isComplete(mutation));
          changes.push(authorized);
          rows = rows.with([authorized]);
        }
        const grants = grantsOfDeleted(changes, rows);
        deletedGrants = grants.map(({ before }) => before?.name ?? '');
        return [...changes, ...grants];
      });
      return { revision, deletedGrants };
    },

    async apply(writer, wanted, { removed, summary, dryRun }) {
      const plan = async (scene: WriteScene, next: number): Promise<readonly ConfigChange[]> => {
        const changes = planRows(wanted, removed, { scene, writer, revision: next, secrets, people });
        return [...changes, ...grantsOfDeleted(changes, scene.rows.with(changes))];
      };
      const { revision, changes } = await write(writer, summary, plan, { dryRun, locate: (problem) => locateProblem(problem, wanted) });
      return { revision, changes, unchanged: wanted.length - changes.filter(({ after }) => after !== null).length };
    },

    history: (query) => store.history(query),

    async rollback(writer, revision, only) {
      const what = only === undefined ? '' : `${only.kind} ${only.name} `;
      const written = await write(writer, `roll back ${what}to revision ${revision}`, async (scene, next) => {
        if (revision >= next)
          throw new GatewayError('invalid_request', `revision: there is no revision ${revision} yet; the newest is ${next - 1}.`, {
            param: 'revision',
          });
        await requireHistory(store, revision);
        const since = await store.changesSince(revision);
        const { tenant } = writer.actor;
        const stored = only === undefined ? undefined : scene.rows.group(only.kind, tenant).get(only.name);
        if (stored !== undefined) requireUnlocked(stored, writer);
        const entries = only === undefined ? since : changesOf(since, tenant, only, scene.rows);
        const changes = undoSince({ entries, since, revision: next }, writer.actor, scene.rows);
        const rows = scene.rows.with(changes);
        return changes.map((change) => authorizeChange(writer, change, { ...scene, rows }, false));
      });
      return { revision: written.revision, changes: written.changes.length };
    },

    people,
    mask: (row) => showPeople(maskRow(row), people),

    health: () => ({
      revision: current.snapshot.revision,
      databaseRevision,
      stale: lastError !== null || (databaseRevision !== null && databaseRevision !== current.snapshot.revision),
      lastError,
    }),

    async close() {
      clearInterval(poll);
      clearTimeout(rightsTimer);
      stopWatch();
      await queue;
      await lastGood.close();
      const last = current;
      current = { ...emptyBuilt(), dropped: [...last.handles.values()] };
      lifetimes.follow(current);
      lifetimes.release(last);
      // Calls that were cut a moment ago still release their snapshots.
      const patience = monotonicNow() + closePatienceMs;
      while (lifetimes.isHeld(last) && monotonicNow() < patience) await sleep(10);
      await factory.disposed();
    },
  };
}

/** The problems that the snapshot before did not have. */
function newProblems(next: Built, previous: Built): BuiltProblem[] {
  return [...next.problems.differences(previous.problems)].flatMap(([, before = [], after = []]) =>
    after.filter(({ message }) => !before.some((each) => each.message === message)),
  );
}

function isAbout(problem: BuiltProblem, change: ConfigChange): boolean {
  return change.after !== null && problem.kind === change.kind && problem.tenant === change.tenant && problem.name === change.after.name;
}
