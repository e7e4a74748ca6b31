/** The look-up of a shared row by its name: as the list of shared rows says, without a walk over other offers. */
import { describe, expect, it } from 'vitest';
import { grantedKey } from '../../src/config/row-references.ts';
import { RowSet } from '../../src/config/row-set.ts';
import { isOfferedId, sharedRow, sharedRows } from '../../src/config/shared-rows.ts';
import type { ConfigRow } from '../../src/types/resources.ts';
import { configRow } from './scene.ts';

const offer = (tenant: string, name: string, sharedWith: readonly string[], over: Partial<ConfigRow> = {}): ConfigRow =>
  configRow('model', name, { deployments: [], shared_with: sharedWith }, { tenant, id: `${tenant}-${name}`, ...over });
const grantOf = (tenant: string, target: ConfigRow): ConfigRow =>
  configRow('grant', `of-${target.id}`, { capability: `model/${target.name}` }, { tenant, target: target.id });

/** Steps of iterators over Maps while `work` runs. */
function steps(work: () => unknown): number {
  const prototype = Object.getPrototypeOf(new Map().entries()) as { next(): IteratorResult<unknown> };
  // oxlint-disable-next-line unbound-method -- called with its own receiver
  const { next } = prototype;
  let count = 0;
  prototype.next = function counting(this: typeof prototype) {
    count++;
    return next.call(this);
  };
  try {
    work();
  } finally {
    prototype.next = next;
  }
  return count;
}

describe('the shared row of a name', () => {
  const granted = offer('c', 'many', ['b'], { createdAt: '2026-03-01T00:00:00.000Z' });
  const rows = RowSet.of([
    offer('a', 'one', ['b']),
    offer('a', 'all', ['*']),
    offer('a', 'mine', ['b']),
    configRow('model', 'mine', { deployments: [] }, { tenant: 'b' }),
    offer('a', 'many', ['b'], { createdAt: '2026-01-01T00:00:00.000Z' }),
    granted,
    grantOf('b', granted),
    offer('a', 'old', ['*'], { createdAt: '2026-01-01T00:00:00.000Z' }),
    offer('c', 'old', ['*'], { createdAt: '2026-02-01T00:00:00.000Z' }),
    offer('a', 'closed', []),
    offer('a', 'same-id', ['d'], { id: 'same' }),
    offer('c', 'same-id', ['b'], { id: 'same' }),
  ]);

  it('is the one in the list of shared rows, for every name and tenant', () => {
    for (const tenant of ['a', 'b', 'c', 'd']) {
      const listed = new Map(sharedRows(rows, tenant).map((row) => [row.name, row]));
      for (const name of ['one', 'all', 'mine', 'many', 'old', 'closed', 'same-id', 'none'])
        expect([tenant, name, sharedRow(rows, tenant, 'model', name)]).toEqual([tenant, name, listed.get(name)]);
    }
    expect(sharedRow(rows, 'b', 'model', 'many')).toBe(granted);
    expect(sharedRow(rows, 'b', 'skill', 'one')).toBeUndefined();
    expect([...rows.referring('b', grantedKey(granted.id, ''))]).toHaveLength(1);
  });

  it('is offered by its id only to the tenants that its own row names', () => {
    expect(['b', 'd', 'a'].map((tenant) => isOfferedId(rows, tenant, 'same'))).toEqual([true, true, false]);
    expect(isOfferedId(rows, 'b', 'a-closed')).toBe(false);
  });

  it('follows a change: withdrawn, renamed, deleted', () => {
    const [before] = [...rows.offersNamed('model', 'one')];
    if (before === undefined) throw new Error('no offer');
    const withdrawn = rows.with([{ kind: 'model', tenant: 'a', before, after: offer('a', 'one', []) }]);
    expect([sharedRow(withdrawn, 'b', 'model', 'one'), isOfferedId(withdrawn, 'b', before.id)]).toEqual([undefined, false]);
    const renamed = rows.with([{ kind: 'model', tenant: 'a', before, after: { ...before, name: 'two' } }]);
    expect(sharedRow(renamed, 'b', 'model', 'one')).toBeUndefined();
    expect(sharedRow(renamed, 'b', 'model', 'two')?.id).toBe(before.id);
    const deleted = renamed.with([{ kind: 'model', tenant: 'a', before: { ...before, name: 'two' }, after: null }]);
    expect([sharedRow(deleted, 'b', 'model', 'two'), isOfferedId(deleted, 'b', before.id)]).toEqual([undefined, false]);
    expect([...rows.offersNamed('model', 'one')], 'the earlier set is as it was').toEqual([before]);
  });

  it('is found among thousands without looking at the others', () => {
    const many = RowSet.of(Array.from({ length: 3_000 }, (_, index) => offer('a', `m-${index}`, ['*'])));
    expect(steps(() => sharedRow(many, 'b', 'model', 'm-17'))).toBeLessThan(10);
    expect(steps(() => isOfferedId(many, 'b', 'a-m-17'))).toBeLessThan(10);
    expect(steps(() => sharedRow(many, 'b', 'model', 'none'))).toBeLessThan(10);
  });
});
