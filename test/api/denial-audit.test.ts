/** Denials in the audit: recorded one by one while they are few, as a count when they are many, always bounded. */
import { describe, expect, it } from 'vitest';
import { createDenialAudit } from '../../src/api/denial-audit.ts';
import type { AuditAct } from '../../src/storage/audit.ts';

const denied = (actor: string, tenant = 'acme', act = 'denied'): AuditAct => ({
  tenant,
  actor,
  act,
  target: 'GET /x',
  requestId: 'r',
  detail: 'no',
});

function book(acts: readonly AuditAct[], limits: { perActor?: number; perTenant?: number } = {}) {
  const written: AuditAct[] = [];
  const denials = createDenialAudit({ audit: { append: (act) => written.push(act) }, perActor: 3, perTenant: 5, ...limits });
  for (const act of acts) denials.book(act);
  denials.close();
  return written;
}

describe('refusals', () => {
  it('are recorded one by one while they are few', () => {
    const acts = [denied('a'), denied('b'), denied('a', 'rival'), denied('a', 'acme', 'refused')];
    expect(book(acts)).toEqual(acts);
  });

  it('of one actor are limited and counted, and do not hide those of another', () => {
    const written = book([...Array.from({ length: 1_000 }, () => denied('a')), denied('b')]);
    expect(written.slice(0, 4).map(({ actor }) => actor)).toEqual(['a', 'a', 'a', 'b']);
    expect(written.slice(4)).toEqual([
      expect.objectContaining({
        tenant: 'acme',
        actor: 'pailou',
        act: 'denied, left out',
        target: 'actor/a',
        detail: expect.stringMatching(/^997 more since .*Z were not recorded one by one; 1000 of the total by a\.$/),
      }),
    ]);
  });

  it('of many actors are bounded in memory and in the audit, for each tenant', () => {
    const flood = Array.from({ length: 5_000 }, (_, index) => denied(`a-${index}`));
    const written = book([...flood, denied('b', 'rival')]);
    expect(written).toHaveLength(5 + 1 + 1);
    expect(written.filter(({ tenant }) => tenant === 'rival')).toEqual([denied('b', 'rival')]);
    expect(written.find(({ act }) => act === 'denied, left out')).toMatchObject({
      target: 'actor/(others)',
      detail: expect.stringContaining('4995 more'),
    });
  });

  it('are recorded one by one again in the next window', async () => {
    const written: AuditAct[] = [];
    const denials = createDenialAudit({ audit: { append: (act) => written.push(act) }, perActor: 1, windowMs: 30 });
    denials.book(denied('a'));
    denials.book(denied('a'));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(written.map(({ act }) => act)).toEqual(['denied', 'denied, left out']);
    denials.book(denied('a'));
    expect(written).toHaveLength(3);
    denials.close();
    expect(written).toHaveLength(3);
  });
});
