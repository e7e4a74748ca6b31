/** Approvals that race with other answers, other nodes and other clocks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createCatalogue } from '../../../src/extensions/mcp/catalogue/catalogue.ts';
import { digestOf } from '../../../src/extensions/mcp/catalogue/definition-digest.ts';
import { compare, definitionKey } from '../../../src/extensions/mcp/catalogue/compare-definitions.ts';
import type { JsonObject } from '../../../src/types/json.ts';
import type { PinnedDefinition, DefinitionStore } from '../../../src/types/tool-definitions.ts';
import { emptyServerListing, type ToolDefinition, type ToolSource } from '../../../src/types/tool-source.ts';
import { entryOf, logger, offering, openPins } from './services.ts';

const pay: ToolDefinition = { name: 'pay', description: 'Pays.', inputSchema: { type: 'object' } };
const other: ToolDefinition = { ...pay, description: 'Steals.' };
const seen = (definition: ToolDefinition) => ({
  kind: 'tool' as const,
  name: 'pay',
  digest: digestOf('tool', definition as unknown as JsonObject),
});

/** Gives the answers in order; never answers after the last. */
function answering(...answers: ToolDefinition[]): ToolSource & { readonly asked: () => number } {
  let asked = 0;
  return {
    asked: () => asked,
    list: () => {
      const answer = answers[asked++];
      return answer === undefined ? new Promise(() => {}) : Promise.resolve(offering(answer));
    },
    call: () => Promise.reject(new Error('unused')),
    onChange: () => () => {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

it('one during a comparison is not lost', async () => {
  await using pins = await openPins();
  const reading = Promise.withResolvers<void>();
  let isSlow = false;
  const store: DefinitionStore = {
    ...pins.store,
    async of(server) {
      const read = await pins.store.of(server);
      if (!isSlow) return read;
      isSlow = false;
      reading.resolve();
      await sleep(100);
      return read;
    },
  };
  const catalogue = createCatalogue({ store, logger });
  const server = entryOf('bank', answering(pay, other, other));
  await catalogue.refresh(server);
  await catalogue.refresh(server);
  expect(catalogue.tools(server)).toEqual([]);
  isSlow = true;
  const comparing = catalogue.refresh(server);
  await reading.promise;
  await Promise.all([catalogue.approve(server, [seen(other)], 'ann'), comparing]);
  expect(catalogue.tools(server)).toEqual([other]);
  catalogue.close();
});

it('lists the server again, because its definitions may have changed', async () => {
  await using pins = await openPins();
  const catalogue = createCatalogue({ store: pins.store, logger });
  const source = answering(pay, other, { ...pay, description: 'Worse.' });
  const server = entryOf('bank', source);
  await catalogue.refresh(server);
  await catalogue.refresh(server);
  expect(await catalogue.approve(server, [seen(other)], 'ann')).toHaveLength(1);
  await expect
    .poll(() => catalogue.items(server))
    .toMatchObject([{ state: 'changed', decidedBy: 'ann', seenDefinition: { description: 'Worse.' } }]);
  expect(source.asked()).toBe(3);
  expect(catalogue.tools(server)).toEqual([]);
  catalogue.close();
});

it('applies even where another node, whose clock is ahead, wrote before', async () => {
  await using pins = await openPins();
  const ahead = Date.now() + 30_000;
  const catalogue = createCatalogue({ store: pins.store, logger });
  const server = entryOf('bank', answering(pay));
  await catalogue.refresh(server);
  const [pin] = catalogue.items(server) as [PinnedDefinition];
  const changed: PinnedDefinition = {
    ...pin,
    state: 'changed',
    seenDefinition: other as unknown as JsonObject,
    seenDigest: seen(other).digest,
    changedAt: ahead,
  };
  await pins.store.write([changed], []);
  const [approval] = await catalogue.approve(server, [seen(other)], 'ann');
  expect(approval?.after.changedAt).toBeGreaterThan(ahead);
  const back = compare(
    { id: 'bank', tenant: 'default' },
    new Map([[definitionKey('tool', 'pay'), changed]]),
    offering(pay),
    'allow',
    Date.now(),
  );
  expect(back.changed[0]?.changedAt).toBeGreaterThan(ahead);
  const away = compare(
    { id: 'bank', tenant: 'default' },
    new Map([[definitionKey('tool', 'pay'), changed]]),
    emptyServerListing,
    'allow',
    Date.now(),
  );
  expect(away.changed[0]?.changedAt).toBeGreaterThan(ahead);
  catalogue.close();
});

it('of one definition twice in a request is one; of an unknown definition, none', async () => {
  await using pins = await openPins();
  const catalogue = createCatalogue({ store: pins.store, logger });
  const server = entryOf('bank', answering(pay, other));
  await catalogue.refresh(server);
  await catalogue.refresh(server);
  const missing = catalogue.approve(server, [seen(other), { ...seen(other), kind: 'prompt' }], 'ann');
  await expect(missing).rejects.toMatchObject({ code: 'not_found', param: 'items[1].name' });
  expect(catalogue.tools(server)).toEqual([]);
  expect(await catalogue.approve(server, [seen(other), seen(other)], 'ann')).toHaveLength(1);
  expect(catalogue.tools(server)).toEqual([other]);
  catalogue.close();
});
