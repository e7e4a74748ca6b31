/** The catalogue while a row is edited or a server hangs: the tools remain, and other calls do not wait. */
import { describe, expect, it, vi } from 'vitest';
import { createCatalogue } from '../../../src/extensions/mcp/catalogue/catalogue.ts';
import type { McpServerEntry } from '../../../src/types/snapshot.ts';
import type { ServerListing, ToolDefinition, ToolSource } from '../../../src/types/tool-source.ts';
import { entryOf, logger, offering, openPins, snapshotWith } from './services.ts';

const echo: ToolDefinition = { name: 'echo', inputSchema: { type: 'object' } };
const pay: ToolDefinition = { name: 'pay', inputSchema: { type: 'object' } };

function sourceOf(list: ToolSource['list']): ToolSource {
  return {
    list,
    call: () => Promise.reject(new Error('unused')),
    onChange: () => () => {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
const hanging = (): ToolSource =>
  sourceOf((signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))));

/** The same row after an edit: another instance. */
function edited(before: McpServerEntry, instance: ToolSource, spec: Partial<McpServerEntry['spec']>): McpServerEntry {
  return { ...before, instance, spec: { ...before.spec, ...spec } };
}
const names = (tools: readonly ToolDefinition[]): string[] => tools.map((tool) => tool.name);

describe('an edited row', () => {
  it('keeps showing the last known tools while the new connection is made', async () => {
    await using pins = await openPins();
    const catalogue = createCatalogue({ store: pins.store, logger });
    const before = entryOf(
      'files',
      sourceOf(() => Promise.resolve(offering(echo, pay))),
    );
    await catalogue.refresh(before);
    const after = edited(before, hanging(), { description: 'now described', allowed_tools: ['echo'] });
    catalogue.follow(snapshotWith(after));
    expect(names(catalogue.tools(after))).toEqual(['echo']);
    expect(catalogue.known(after)).toBe(true);
    await catalogue.ready(after);
    catalogue.close();
  });

  it('starts empty when it leads to another server: the former tools are not promised for it', async () => {
    await using pins = await openPins();
    const catalogue = createCatalogue({ store: pins.store, logger });
    const before = entryOf(
      'files',
      sourceOf(() => Promise.resolve(offering(echo))),
    );
    await catalogue.refresh(before);
    const after = edited(before, hanging(), { options: { url: 'https://elsewhere.example/mcp' } });
    catalogue.follow(snapshotWith(after));
    expect(names(catalogue.tools(after))).toEqual([]);
    expect(catalogue.known(after)).toBe(false);
    catalogue.close();
  });

  it('is not mixed with another row of the same server', async () => {
    await using pins = await openPins();
    const catalogue = createCatalogue({ store: pins.store, logger });
    await catalogue.refresh(
      entryOf(
        'files',
        sourceOf(() => Promise.resolve(offering(echo))),
      ),
    );
    expect(names(catalogue.tools(entryOf('others', hanging())))).toEqual([]);
    catalogue.close();
  });

  it('ignores late answers of an old instance', async () => {
    await using pins = await openPins();
    const catalogue = createCatalogue({ store: pins.store, logger });
    let answer: (offer: ServerListing) => void = () => {};
    const before = entryOf(
      'files',
      sourceOf(() => new Promise((resolve) => (answer = resolve))),
    );
    const late = catalogue.refresh(before);
    const after = edited(
      before,
      sourceOf(() => Promise.resolve(offering(pay))),
      { description: 'x' },
    );
    catalogue.follow(snapshotWith(after));
    await catalogue.refresh(after);
    answer(offering(echo));
    await late;
    const again = edited(before, hanging(), { description: 'y' });
    catalogue.follow(snapshotWith(again));
    expect(names(catalogue.tools(again))).toEqual(['pay']);
    catalogue.close();
  });
});

describe('a server that hangs', () => {
  it('is awaited once after it is first seen, not by each call', async () => {
    vi.useFakeTimers();
    try {
      await using pins = await openPins();
      const catalogue = createCatalogue({ store: pins.store, logger });
      const server = entryOf('hung', hanging());
      const first = catalogue.ready(server);
      await vi.advanceTimersByTimeAsync(10_000);
      await first;
      let passed = false;
      const second = catalogue.ready(server).then(() => (passed = true));
      await vi.advanceTimersByTimeAsync(0);
      expect(passed).toBe(true);
      await second;
      catalogue.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('is not awaited again when it is listed again after a failure', async () => {
    vi.useFakeTimers();
    try {
      await using pins = await openPins();
      const catalogue = createCatalogue({ store: pins.store, logger });
      let asked = 0;
      const server = entryOf(
        'down',
        sourceOf((signal) => (++asked === 1 ? Promise.reject(new Error('refused')) : hanging().list(signal))),
      );
      await catalogue.ready(server);
      await vi.advanceTimersByTimeAsync(3_000);
      let passed = false;
      const second = catalogue.ready(server).then(() => (passed = true));
      await vi.advanceTimersByTimeAsync(0);
      expect(asked).toBe(2);
      expect(passed).toBe(true);
      await second;
      catalogue.close();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the start of a node', () => {
  const hour = 3_600_000;
  /** A source that counts how often it is asked and never answers. */
  const counted = (): { readonly source: ToolSource; readonly asked: () => number } => {
    let asked = 0;
    const source = sourceOf(() => {
      asked++;
      return new Promise(() => {});
    });
    return { source, asked: () => asked };
  };

  it('asks no server that no one uses, and asks one at its first use, with the whole patience', async () => {
    await using pins = await openPins();
    const catalogue = createCatalogue({ store: pins.store, logger, startPauseMs: hour });
    const [first, second, third] = [counted(), counted(), counted()];
    const [used, unused] = [entryOf('used', first.source), entryOf('unused', second.source)];
    catalogue.follow(snapshotWith(used, unused));
    // A server that is added later is asked at once.
    catalogue.follow(snapshotWith(used, unused, entryOf('added', third.source)));
    await expect.poll(third.asked).toBe(1);
    expect([first.asked(), second.asked()]).toEqual([0, 0]);
    expect(catalogue.patience(used)).toBeGreaterThan(0);
    expect([first.asked(), second.asked()]).toEqual([1, 0]);
    catalogue.close();
  });

  it('asks the others after a pause, once', async () => {
    await using pins = await openPins();
    const catalogue = createCatalogue({ store: pins.store, logger, startPauseMs: 1 });
    const { source, asked } = counted();
    catalogue.follow(snapshotWith(entryOf('files', source)));
    await expect.poll(asked).toBe(1);
    catalogue.close();
  });
});
