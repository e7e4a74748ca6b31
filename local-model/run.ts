/** `npm run local-model`: a real llama.cpp server with a real model behind Pailou, and checks by the `openai` client. Exit code 1 when one fails. Options: --folder (where the Python packages are kept), --only (a part of the name of a check; may be repeated). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OpenAI } from '../test/openai-client.ts';
import { chatChecks } from './chat-checks.ts';
import type { Scene } from './check.ts';
import { startGatewayFor } from './gateway.ts';
import { startModelServer } from './model-server.ts';
import { otherChecks } from './other-checks.ts';
import { streamChecks } from './stream-checks.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: join(tmpdir(), 'pailou-local-model') },
    only: { type: 'string', multiple: true, default: [''] },
  },
});
const server = await startModelServer(values.folder);
const dataDir = await mkdtemp(join(tmpdir(), 'pailou-local-model-data-'));
const gateway = await startGatewayFor(server.url, dataDir);
const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.token, maxRetries: 0 });
const scene: Scene = { openai, model: 'local', gateway: gateway.url, server: server.url, token: gateway.token };

const checks = [...chatChecks, ...streamChecks, ...otherChecks].filter(({ name }) => values.only.some((part) => name.includes(part)));
let failed = 0;
try {
  for (const check of checks) {
    const begun = performance.now();
    const fault = await check.run(scene).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (fault !== null) failed++;
    console.log(
      `${fault === null ? 'ok    ' : 'FAILED'} ${check.name} (${Math.round(performance.now() - begun)} ms)${fault === null ? '' : `\n       ${fault}`}`,
    );
  }
} finally {
  await gateway.close();
  server.stop();
  await rm(dataDir, { recursive: true, force: true });
}
console.log(`${checks.length - failed} of ${checks.length} checks passed`);
process.exit(failed === 0 ? 0 : 1);
