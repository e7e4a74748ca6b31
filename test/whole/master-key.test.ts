/** Rotation of the master key by operators: by settings and one command, while the gateway serves. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { databaseKinds, type TestDatabase } from '../storage/databases.ts';
import { node, runEnv, startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

const [first, second, third] = [0, 1, 2].map(() => randomBytes(32).toString('base64')) as [string, string, string];
const canary = 'canary-of-the-vendor-5f1c';

/** The command as operators type it. */
function pailou(env: Record<string, string>, ...args: string[]): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const cli = join(import.meta.dirname, '../../src/cli.ts');
    execFile(node, [cli, ...args], { env: { ...runEnv, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: stdout + stderr }),
    );
  });
}

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`a change of the master key on ${kind.name}`, () => {
    let place: TestDatabase;
    let vendor: Vendor;
    let gateway: TestGateway;
    const settings = (key: string, old?: string): Record<string, string> => ({
      PAILOU_DATA_DIR: place.dataDir,
      ...(place.url === null ? {} : { PAILOU_DATABASE_URL: place.url }),
      PAILOU_MASTER_KEY: key,
      ...(old === undefined ? {} : { PAILOU_MASTER_KEY_OLD: old }),
    });
    const provider = (about: string, key: string) => ({
      spec: { kind: 'openai-compatible', options: { base_url: `${vendor.url}/${about}`, api_key: key } },
    });
    const call = async (): Promise<string> => {
      const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
      const answer = await gateway.as('admin', 'POST', '/v1/chat/completions', body);
      return `${answer.status} ${vendor.requests.at(-1)?.headers.authorization}`;
    };

    beforeEach(async () => {
      place = await kind.createMigrated();
      vendor = await startVendor();
      gateway = await startGateway(settings(first));
      const made = await gateway.as('admin', 'POST', '/api/providers', { name: 'p', ...provider('one', canary) });
      expect(made.status, made.text).toBe(201);
      const model = await gateway.as('admin', 'POST', '/api/models', {
        name: 'm',
        spec: { deployments: [{ provider: 'p', model: 'up' }] },
      });
      expect(model.status, model.text).toBe(201);
      expect((await gateway.as('admin', 'PUT', '/api/providers/p', provider('two', '***'))).status).toBe(200);
    });
    afterEach(async () => {
      await gateway[Symbol.asyncDispose]();
      await vendor[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    });

    it('works while calls are made, and then the old key is not needed', async () => {
      const { revision } = (await gateway.as('admin', 'GET', '/api/config/revision')).json as { revision: number };
      await gateway[Symbol.asyncDispose]();
      gateway = await startGateway(settings(second, first));
      expect(await call()).toBe(`200 Bearer ${canary}`);

      const seen = new Set<string>();
      const done = new AbortController();
      const calling = (async () => {
        while (!done.signal.aborted) seen.add(await call());
      })();
      const { code, out } = await pailou(settings(second, first), 'keys', 'rotate-master');
      done.abort();
      await calling;
      expect(code, out).toBe(0);
      // The row, and in the history: created, before and after the change.
      expect(out).toContain('4 values were sealed with the current key');
      expect(out).toContain('No old key is needed any more');
      expect(out).not.toContain(canary);
      expect([...seen]).toEqual([`200 Bearer ${canary}`]);

      // The running node continues to write, and nothing under the old key.
      expect((await gateway.as('admin', 'PUT', '/api/providers/p', provider('three', '***'))).status).toBe(200);
      const again = await pailou(settings(second), 'keys', 'rotate-master', '--check');
      expect(again, again.out).toMatchObject({ code: 0, out: expect.stringContaining('6 sealed values') as string });

      await gateway[Symbol.asyncDispose]();
      gateway = await startGateway(settings(second));
      expect(await call()).toBe(`200 Bearer ${canary}`);
      expect((await gateway.as('admin', 'POST', '/api/config/rollback', { revision })).json).toMatchObject({ changes: 1 });
      expect((await gateway.as('admin', 'GET', '/api/providers/p')).json.spec.options.base_url).toBe(`${vendor.url}/two`);
      expect(await call()).toBe(`200 Bearer ${canary}`);
    });

    it('with a wrong old key changes nothing and says which key is missing', async () => {
      const { code, out } = await pailou(settings(second, third), 'keys', 'rotate-master');
      expect(code).toBe(1);
      expect(out).toMatch(
        /4 values are sealed with key [\w-]{8}, which is not configured\.\n.*Nothing was changed.*PAILOU_MASTER_KEY_OLD/s,
      );
      expect((await pailou(settings(first), 'keys', 'rotate-master', '--check')).code).toBe(0);
      expect(await call()).toBe(`200 Bearer ${canary}`);
      const without = await pailou({ PAILOU_DATA_DIR: place.dataDir }, 'keys', 'rotate-master');
      expect(without).toMatchObject({ code: 2, out: expect.stringContaining('Set PAILOU_MASTER_KEY') as string });
      const bad = await pailou(settings(second, 'half a k'), 'keys', 'rotate-master');
      expect(bad.code).toBe(2);
      expect(bad.out).toContain('PAILOU_MASTER_KEY_OLD');
      expect(bad.out).not.toContain('half a k');
    });

    it('refuses a forged sealed value', async () => {
      const planted = provider('planted', '');
      const options = { ...planted.spec.options, api_key: { $sealed: 'v1.AAAAAAAA.AAAA.AAAA.AAAA' } };
      const answer = await gateway.as('admin', 'POST', '/api/providers', { name: 'x', spec: { ...planted.spec, options } });
      expect(answer).toMatchObject({
        status: 400,
        json: { error: { code: 'configuration_invalid', param: expect.stringContaining('$sealed') } },
      });
    });
  });
}
