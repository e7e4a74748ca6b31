import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadPlugins } from '../../src/plugins/loader.ts';
import type { PluginRegistry } from '../../src/plugins/registry.ts';
import type { RoutingContext, Strategy } from '../../src/types/dispatch.ts';
import type { PluginServices } from '../../src/types/plugin.ts';
import { modelSpec } from '../../src/types/resources.ts';
import { compilePrice } from '../../src/types/price.ts';
import type { Deployment, ModelEntry } from '../../src/types/snapshot.ts';
import { createLogger } from '../../src/telemetry/log.ts';

let registry: PluginRegistry;
beforeAll(async () => {
  const logger = createLogger('silent');
  registry = await loadPlugins({
    folders: [join(import.meta.dirname, '../../src/dispatch/strategies')],
    pluginsDir: null,
    services: {} as PluginServices,
    logger,
  });
});

const deployment = (id: string, more: Partial<Deployment> = {}): Deployment => ({
  id,
  key: `t ${id}`,
  provider: { id, name: id, kind: 'test', instance: { formats: {}, address: () => '', authorize: () => {} } },
  model: id,
  weight: 1,
  tier: 0,
  price: null,
  alwaysStream: false,
  prefill: false,
  limits: {},
  ...more,
});

const model: ModelEntry = {
  name: 'm',
  capability: { kind: 'model', name: 'm', tenant: 't', owner: null, tags: [] },
  spec: modelSpec.parse({ deployments: [{ provider: 'p', model: 'm' }] }),
  deployments: [],
  created: 0,
};

const context = (more: Partial<RoutingContext> = {}): RoutingContext => ({
  model,
  load: () => ({ inFlight: 0, attempts: 0, firstTokenMs: null }),
  affinity: () => 'someone',
  random: Math.random,
  asking: false,
  ...more,
});

const strategyOf = (kind: string): Strategy => {
  const found = registry.instance('strategy', kind);
  if (found === undefined) throw new Error(`no strategy ${kind}`);
  return found;
};
const ids = (order: readonly Deployment[]): string => order.map(({ id }) => id).join('');
const three = [deployment('a'), deployment('b'), deployment('c')];

describe.each(['weighted', 'round-robin', 'least-busy', 'lowest-latency', 'lowest-cost', 'sticky'])('%s', (kind) => {
  it('is not affected by an explain request', () => {
    const strategy = strategyOf(kind);
    const after = (questions: number): string => {
      const chance = { random: () => 0.5 };
      const before = ids(strategy.order(three, context(chance)));
      for (let question = 0; question < questions; question++) strategy.order(three, context({ ...chance, asking: true }));
      return `${before} ${ids(strategy.order(three, context(chance)))}`;
    };
    const cycle = [after(0), after(0), after(0)];
    expect(cycle).toContain(after(1));
    expect(cycle).toContain(after(2));
  });

  it('returns each candidate exactly once, whatever the numbers', () => {
    for (let round = 0; round < 200; round++) {
      const load = () => ({
        inFlight: Math.floor(Math.random() * 5),
        attempts: 1,
        firstTokenMs: Math.random() < 0.3 ? null : Math.random() * 1_000,
      });
      const candidates = three.map((each) => ({ ...each, weight: 0.1 + Math.random() * 9 }));
      const order = strategyOf(kind).order(candidates, context({ load, affinity: () => String(round) }));
      expect(order.map(({ id }) => id).toSorted()).toEqual(['a', 'b', 'c']);
      expect(candidates).toHaveLength(3);
    }
  });
});

describe('the first deployment', () => {
  const firsts = (
    kind: string,
    candidates: readonly Deployment[],
    times: number,
    more: (round: number) => Partial<RoutingContext> = () => ({}),
  ) => {
    const counts: Record<string, number> = {};
    for (let round = 0; round < times; round++) {
      const first = strategyOf(kind).order(candidates, context(more(round)))[0]?.id ?? '';
      counts[first] = (counts[first] ?? 0) + 1;
    }
    return counts;
  };

  it('weighted: is chosen by weight, within sampling error', () => {
    const counts = firsts(
      'weighted',
      [deployment('a', { weight: 70 }), deployment('b', { weight: 20 }), deployment('c', { weight: 10 })],
      10_000,
    );
    expect(counts['a']).toBeGreaterThan(6_750);
    expect(counts['a']).toBeLessThan(7_250);
    expect(counts['c']).toBeGreaterThan(850);
    expect(counts['c']).toBeLessThan(1_150);
  });

  it('round-robin: is each in turn, whatever the weight', () => {
    const candidates = [deployment('a', { weight: 9 }), deployment('b'), deployment('c')];
    const order = Array.from({ length: 6 }, () => strategyOf('round-robin').order(candidates, context())[0]?.id);
    expect(order.join('')).toMatch(/^(abc|bca|cab){2}$/);
  });

  it('least-busy: has the fewest calls for its weight', () => {
    const busy: Record<string, number> = { a: 4, b: 2, c: 3 };
    const load = ({ id }: Deployment) => ({ inFlight: busy[id] ?? 0, attempts: 9, firstTokenMs: null });
    expect(ids(strategyOf('least-busy').order(three, context({ load })))).toBe('bca');
    const heavy = [deployment('a', { weight: 10 }), deployment('b'), deployment('c')];
    expect(ids(strategyOf('least-busy').order(heavy, context({ load })))).toBe('abc');
  });

  it('lowest-latency: is the fastest, and occasionally another', () => {
    const load = ({ id }: Deployment) => ({ inFlight: 0, attempts: 9, firstTokenMs: id === 'b' ? 50 : 500 });
    const counts = firsts('lowest-latency', three, 4_000, () => ({ load }));
    expect(counts['b']).toBeGreaterThan(3_700);
    expect((counts['a'] ?? 0) + (counts['c'] ?? 0)).toBeGreaterThan(100);
  });

  it('lowest-latency: is one without attempts, but not one without successful attempts', () => {
    const load = ({ id }: Deployment) => ({ inFlight: 0, attempts: id === 'a' ? 0 : 9, firstTokenMs: id === 'b' ? 50 : null });
    expect(firsts('lowest-latency', three, 1_000, () => ({ load, random: () => 0.9 }))).toEqual({ a: 1_000 });
    const silent = ({ id }: Deployment) => ({ inFlight: 0, attempts: 9, firstTokenMs: id === 'b' ? 50 : null });
    const counts = firsts('lowest-latency', three, 2_000, () => ({ load: silent }));
    expect(counts['b']).toBeGreaterThan(1_800);
  });

  it('lowest-cost: is the cheapest; without a common currency the order is random', () => {
    const price = (input: number, currency = 'USD') => ({ price: compilePrice({ currency, input, output: input * 2 }) });
    const candidates = [deployment('a', price(3)), deployment('b', price(1)), deployment('c')];
    expect(ids(strategyOf('lowest-cost').order(candidates, context()))).toBe('bac');
    const mixed = firsts('lowest-cost', [deployment('a', price(3)), deployment('b', price(1, 'CNY'))], 300);
    expect(mixed['a']).toBeGreaterThan(50);
    expect(mixed['b']).toBeGreaterThan(50);
  });

  it('sticky: is the same for one conversation, by weight over many, and only its own conversations move when one is removed', () => {
    const candidates = [deployment('a', { weight: 2 }), deployment('b'), deployment('c')];
    const first = (key: number, among = candidates) => strategyOf('sticky').order(among, context({ affinity: () => `call ${key}` }))[0]?.id;
    const counts = firsts('sticky', candidates, 4_000, (round) => ({ affinity: () => `call ${round}` }));
    expect(counts['a']).toBeGreaterThan(1_850);
    expect(counts['a']).toBeLessThan(2_150);
    for (let key = 0; key < 200; key++) {
      expect(first(key)).toBe(first(key));
      const home = first(key);
      // Without c, sessions that were not on c stay.
      const stays = home === 'c' ? true : first(key, candidates.slice(0, 2)) === home;
      expect(stays).toBe(true);
    }
  });
});
