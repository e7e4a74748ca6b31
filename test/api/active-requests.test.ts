/** When the permissions of active requests are checked again. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ActiveRequest, createActiveRequests } from '../../src/api/active-requests.ts';
import { createRequiredPermissions } from '../../src/application/required-permissions.ts';
import { principal } from '../extensions/mcp/services.ts';
import { memoryLogger } from '../storage/databases.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const everyMs = 5_000;

function start() {
  const checked = new Map<unknown, number>();
  let inOneTurn = 0;
  let most = 0;
  const requests = createActiveRequests({
    credentials: {
      admit: async (headers: unknown) => {
        checked.set(headers, (checked.get(headers) ?? 0) + 1);
        most = Math.max(most, ++inOneTurn);
        return principal;
      },
    } as never,
    config: { current: () => ({ tenant: () => ({ grants: { find: () => null }, skills: new Map() }) }) } as never,
    audit: { append: () => {} },
    logger: memoryLogger(),
    everyMs,
  });
  const hold = (): (() => void) => {
    const request = { headers: {}, id: 'r', principal, socket: {} } as ActiveRequest['request'];
    return requests.hold({ request, needs: createRequiredPermissions(), end: () => {} });
  };
  return {
    requests,
    hold,
    checked,
    /** Lets the time pass, one timer after the other. */
    async pass(milliseconds: number) {
      const end = Date.now() + milliseconds;
      while (Date.now() < end) {
        inOneTurn = 0;
        await vi.advanceTimersToNextTimerAsync();
      }
    },
    most: () => most,
  };
}

it('each of 1,000 is checked once in the interval, and never more than a fiftieth in one turn', async () => {
  const scene = start();
  for (let call = 0; call < 1_000; call++) scene.hold();
  await scene.pass(everyMs);
  expect(scene.checked.size).toBe(1_000);
  expect(Math.max(...scene.checked.values())).toBe(1);
  expect(scene.most()).toBe(20);
  scene.requests.close();
});

it('a single one is checked once in the interval, and no more after its end', async () => {
  const scene = start();
  const end = scene.hold();
  await scene.pass(3 * everyMs);
  expect([...scene.checked.values()]).toEqual([3]);
  end();
  await scene.pass(3 * everyMs);
  expect([...scene.checked.values()]).toEqual([3]);
  scene.requests.close();
});

it('calls that begin and end meanwhile keep no other one from its check', async () => {
  const scene = start();
  for (let call = 0; call < 100; call++) scene.hold();
  const short: (() => void)[] = [];
  for (let step = 0; step < 100; step++) {
    short.push(scene.hold());
    if (step > 10) short.shift()?.();
    await scene.pass(everyMs / 50);
  }
  const counts = [...scene.checked.values()];
  expect(counts.filter((count) => count >= 1).length, 'in two intervals each of the long ones').toBeGreaterThanOrEqual(100);
  scene.requests.close();
});
