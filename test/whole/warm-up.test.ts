/** The warm-up makes calls of its own after the start. It delays no call, and leaves no trace in the gateway. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PluginRegistry } from '../../src/plugins/registry.ts';
import { warmUp, warmUpAfterStart } from '../../src/api/warm-up/warm-up.ts';
import { openWarmUpGateway } from '../../src/api/warm-up/warm-up-gateway.ts';
import { plugins } from '../config/scene.ts';
import { memoryLogger } from '../storage/databases.ts';
import { eventually, startGateway, startProcess } from './gateway.ts';

const never = new AbortController().signal;
let registry: PluginRegistry;
beforeAll(async () => {
  registry = await plugins();
});

describe('the warm-up', () => {
  it('makes all its calls through the server, the router and the formats', async () => {
    const logger = memoryLogger();
    expect(await warmUp({ registry, isBusy: () => false, logger }, never)).toBe(30);
    expect(logger.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });

  it('waits while a call is in progress, and ends with the gateway', async () => {
    const logger = memoryLogger();
    const looked = Promise.withResolvers<void>();
    let looks = 0;
    const running = warmUpAfterStart({
      registry,
      isBusy() {
        if (++looks === 3) looked.resolve();
        return true;
      },
      logger,
    });
    await looked.promise;
    await running[Symbol.asyncDispose]();
    expect(logger.lines.filter(({ message }) => /warm/.test(message))).toEqual([]);
  });

  it('that does not work is told, and the gateway goes on', async () => {
    const logger = memoryLogger();
    const broken = { get: () => undefined, list: () => [], instance: () => undefined } as unknown as PluginRegistry;
    await using running = warmUpAfterStart({ registry: broken, isBusy: () => false, logger });
    await eventually(
      async () => logger.lines.map(({ level, message }) => `${level}: ${message}`),
      (lines) => lines.includes('warn: the warm-up failed; the first calls will cost more'),
    );
    expect(running).toBeDefined();
  });

  it('admits nobody else', async () => {
    await using owned = new AsyncDisposableStack();
    const { port, secret } = await openWarmUpGateway(registry, memoryLogger(), owned);
    const ask = async (authorization?: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
        body: JSON.stringify({ model: 'warm-up', messages: [{ role: 'user', content: 'Hi' }] }),
      });
      await answer.text();
      return answer.status;
    };
    expect([await ask(), await ask(`Bearer ${secret}x`), await ask(`Bearer ${secret}`)]).toEqual([401, 401, 200]);
  });

  it('of a production gateway is in no ledger, no metric and no list', async () => {
    await using identity = await startGateway();
    let output = (): string => '';
    await using gateway = await startGateway(
      {
        PAILOU_MODE: 'production',
        PAILOU_OAUTH_ISSUER: identity.gateway.issuer,
        PAILOU_OAUTH_PRESET: 'generic',
        PAILOU_OAUTH_AUDIENCE: identity.url,
        PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
        PAILOU_LOG_LEVEL: 'debug',
        PAILOU_WARM_UP: 'on',
      },
      async (env) => {
        const started = await startProcess(env);
        ({ output } = started);
        return started;
      },
    );
    await eventually(
      async () => output(),
      (text) => text.includes('"msg":"warmed up"'),
    );
    const authorization = `Bearer ${await identity.token('admin')}`;
    const read = async (path: string) => gateway.as(null, 'GET', path, undefined, { authorization });
    expect((await read('/api/runs')).json.data).toEqual([]);
    expect((await read('/metrics')).text).not.toContain('warm-up');
    expect((await read('/api/models')).json.data).toEqual([]);
    expect((await read('/v1/models')).json.data).toEqual([]);
    expect(output()).not.toContain('the warm-up failed');
  });
});
