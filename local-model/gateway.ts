/** A gateway at free ports with one model, behind which llama.cpp answers. */
import { createServer } from 'node:net';
import { fetchDevelopmentToken } from '../src/auth/development/development-token.ts';
import { startPailou } from '../src/main.ts';

export interface LocalGateway {
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(typeof address === 'object' && address !== null ? address.port : 0);
}

export async function startGatewayFor(server: string, dataDir: string): Promise<LocalGateway> {
  const gateway = await startPailou({
    PAILOU_PORT: await freePort(),
    PAILOU_IDENTITY_PORT: await freePort(),
    PAILOU_DATA_DIR: dataDir,
    PAILOU_LOG_LEVEL: 'error',
  });
  const token = await fetchDevelopmentToken(gateway.issuer, 'admin');
  const create = async (kind: string, body: object): Promise<void> => {
    const answer = await fetch(`${gateway.url}/api/${kind}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (answer.status !== 201) throw new Error(await answer.text());
  };
  await create('providers', { name: 'llama', spec: { kind: 'llamacpp', options: { base_url: `${server}/v1` } } });
  // A busy machine is slow: no check is about time.
  const limits = { first_token_ms: 300_000, idle_ms: 300_000, total_ms: 600_000 };
  await create('models', { name: 'local', spec: { deployments: [{ provider: 'llama', model: 'SmolLM2-135M-Instruct' }], limits } });
  return { url: gateway.url, token, close: () => gateway.close(2_000) };
}
