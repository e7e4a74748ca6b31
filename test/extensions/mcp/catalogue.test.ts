/** The catalogue: served from memory, one listing at a time, with a wait only for a new server. */
import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../../src/extensions/mcp/catalogue/catalogue.ts';
import { GatewayError } from '../../../src/types/errors.ts';
import type { ToolDefinition, ToolSource } from '../../../src/types/tool-source.ts';
import { entryOf, logger, offering, openPins } from './services.ts';

const named = (...names: string[]): ToolDefinition[] => names.map((name) => ({ name, inputSchema: { type: 'object' } }));

/** A source whose answer the test sets. */
function scripted(answer: () => Promise<readonly ToolDefinition[]>) {
  const listeners = new Set<() => void>();
  const state = { asked: 0, answer };
  const source: ToolSource = {
    list: () => {
      state.asked++;
      return state.answer().then((tools) => offering(...tools));
    },
    call: () => Promise.reject(new Error('unused')),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const change = (): void => {
    for (const listener of listeners) listener();
  };
  return { state, source, change };
}

describe('the catalogue', () => {
  it('lists a new server once for all waiting calls, and answers from memory afterwards', async () => {
    const { state, source } = scripted(async () => named('read', 'write'));
    await using pins = await openPins();
    const catalogue = createCatalogue({ store: pins.store, logger });
    const server = entryOf('files', source);
    expect(catalogue.tools(server)).toEqual([]);
    expect(catalogue.known(server)).toBe(false);
    await Promise.all([catalogue.ready(server), catalogue.ready(server)]);
    expect(catalogue.tools(server).map((tool) => tool.name)).toEqual(['read', 'write']);
    expect(catalogue.tools(entryOf('files', source, ['read'])).map((tool) => tool.name)).toEqual(['read']);
    expect(catalogue.known(server)).toBe(true);
    expect(state.asked).toBe(1);
    catalogue.close();
  });

  it('shows the last known tools of a server that is down, and says so', async () => {
    const { state, source } = scripted(async () => named('read'));
    await using pins = await openPins();
    const catalogue = createCatalogue({ store: pins.store, logger });
    const server = entryOf('files', source);
    await catalogue.ready(server);
    state.answer = () => Promise.reject(new GatewayError('tool_failed', 'gone'));
    await catalogue.refresh(server);
    expect(catalogue.tools(server)).toHaveLength(1);
    expect(catalogue.health(server)).toMatchObject({ tools: 1, error: 'gone' });
    catalogue.close();
  });

  it('lists again when the server reports changed tools, and notifies listeners only of real changes', async () => {
    const { state, source, change } = scripted(async () => named('read'));
    await using pins = await openPins();
    const catalogue = createCatalogue({ store: pins.store, logger });
    const server = entryOf('files', source);
    let changes = 0;
    catalogue.onChange(() => changes++);
    await catalogue.ready(server);
    change();
    await catalogue.refresh(server);
    expect(changes).toBe(1);
    state.answer = async () => named('read', 'write');
    change();
    await catalogue.refresh(server);
    expect(changes).toBe(2);
    catalogue.close();
  });

  it('does not lose a change that is announced during a listing', async () => {
    let release: (tools: ToolDefinition[]) => void = () => {};
    const { state, source, change } = scripted(() => new Promise((resolve) => (release = resolve)));
    await using pins = await openPins();
    const catalogue = createCatalogue({ store: pins.store, logger });
    const server = entryOf('files', source);
    const first = catalogue.ready(server);
    state.answer = async () => named('old', 'new');
    change();
    release(named('old'));
    await first;
    await expect.poll(() => catalogue.tools(server).map((tool) => tool.name)).toEqual(['new', 'old']);
    expect(state.asked).toBe(2);
    catalogue.close();
  });
});
