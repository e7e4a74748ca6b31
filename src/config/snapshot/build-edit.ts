/** What one build changes in the snapshot before it, and the tolerance for bad rows. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type GatewayError, toGatewayError } from '../../types/errors.ts';
import type { ConfigRow, ResourceKind } from '../../types/resources.ts';
import type { KeyEntry } from '../../types/snapshot.ts';
import type { Handle, InstanceFactory, RowPluginType } from '../instances.ts';
import { parseSpec } from '../parse-spec.ts';
import type { RowSet } from '../row-set.ts';
import type { Built, BuiltProblem, RightsEnd } from './built.ts';

type Named = Pick<ConfigRow, 'kind' | 'tenant' | 'name'>;
/** What a problem was found by: the row itself, or a check over several rows. Each check replaces its own problems. */
export type Check = 'row' | 'fallbacks' | 'live' | 'label' | 'virtual';

/** Rows between two turns of the event loop: some milliseconds of work. */
const rowsPerTurn = 50;

export const rowKey = ({ kind, tenant, name }: Named): string => `${kind}\0${tenant}\0${name}`;
const problemKey = (check: Check, row: Named): string => `${check}\0${rowKey(row)}`;

/** Parsed specs of models, skills, servers and providers. Entries hold them as well. */
const parsed = new WeakMap<ConfigRow['spec'], unknown>();

/** As `parseSpec`; a spec is parsed once. */
export function parseOnce<K extends ResourceKind>(kind: K, spec: ConfigRow['spec']): ReturnType<typeof parseSpec<K>> {
  const known = parsed.get(spec);
  if (known !== undefined) return known as ReturnType<typeof parseSpec<K>>;
  const made = parseSpec(kind, spec);
  parsed.set(spec, made);
  return made;
}

export class BuildEdit {
  readonly rows: RowSet;
  readonly previous: Built;
  readonly now: number;
  readonly problems = new Map<string, readonly BuiltProblem[] | undefined>();
  readonly handles = new Map<string, Handle | undefined>();
  readonly keys = new Map<string, KeyEntry | undefined>();
  readonly ends = new Map<string, RightsEnd | undefined>();
  readonly added: Handle[] = [];
  readonly dropped: Handle[] = [];
  readonly #factory: InstanceFactory;
  #worked = 0;

  constructor(rows: RowSet, previous: Built, factory: InstanceFactory, now: number) {
    this.rows = rows;
    this.previous = previous;
    this.now = now;
    this.#factory = factory;
  }

  /** Forgets what the check found for the row before. */
  clear(check: Check, row: Named): void {
    this.problems.set(problemKey(check, row), undefined);
  }

  report(check: Check, { kind, tenant, name }: Named, error: GatewayError): void {
    const key = problemKey(check, { kind, tenant, name });
    this.problems.set(key, [...(this.problems.get(key) ?? []), { tenant, kind, name, message: error.message, error }]);
  }

  /** A bad row is left out and reported. */
  async tolerate<T>(row: ConfigRow, work: () => T | Promise<T>): Promise<T | null> {
    // A change that touches many rows leaves turns to the calls.
    if (++this.#worked % rowsPerTurn === 0) await nextTurn();
    try {
      return await work();
    } catch (thrown) {
      this.report('row', row, toGatewayError(thrown));
      return null;
    }
  }

  /** The row's instance: the earlier one, or a new one when its options changed. Undefined stands for a row without one. */
  async instance<T extends RowPluginType>(type: T, row: ConfigRow): Promise<Handle<T>> {
    const key = rowKey(row);
    const before = this.previous.handles.get(key);
    const handle = await this.#factory.take(type, row, before);
    if (handle !== before) {
      this.#drop(before);
      this.added.push(handle);
    }
    this.handles.set(key, handle);
    return handle;
  }

  /** Gives up the row's instance, unless this build took it. */
  settle(row: Named): void {
    const key = rowKey(row);
    if (this.handles.has(key)) return;
    const before = this.previous.handles.get(key);
    if (before === undefined) return;
    this.handles.set(key, undefined);
    this.#drop(before);
  }

  #drop(handle: Handle | undefined): void {
    if (handle !== undefined) this.dropped.push(handle);
  }
}
