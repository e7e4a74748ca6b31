/** Gateways under load, and what callers, the vendor and the ledger saw of it. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, startGateway, startProcess, type TestGateway } from '../test/whole/gateway.ts';
import { answerOk, startVendor, type Vendor } from '../test/whole/vendor.ts';

/** How a call ended for its caller. */
export interface Seen {
  whole: number;
  /** An error response, or an error event in a stream. */
  explicit: number;
  /** The connection broke, as it must when a process dies. */
  broken: number;
  /** A stream that ended as if complete, and was not. */
  false: number;
}

export interface Outcome {
  readonly seen: Seen;
  /** The codes of the explicit errors. */
  readonly codes?: readonly string[];
  readonly lost: string;
  /** False: something was lost that nothing allows to be lost. */
  readonly isExplained: boolean;
}

export interface Scenario {
  readonly fault: string;
  /** A text: why it cannot be tried here. */
  run(owned: AsyncDisposableStack): Promise<Outcome | string>;
}

export interface Node {
  readonly gateway: TestGateway;
  readonly pid: number;
}

export interface Scene {
  readonly nodes: readonly Node[];
  readonly vendor: Vendor;
  /** The gateway that has the development identity service. */
  readonly identity: TestGateway;
  /** Where callers call. */
  url: string;
  /** Another node with the settings of the others, and these. `program`: of another version. */
  start(env: Record<string, string>, program?: string): Promise<Node>;
}

/** Five words after 30 ms. */
export async function quickAnswer(...[request, response]: Parameters<Parameters<Vendor['behave']>[0]>): Promise<void> {
  await sleep(30);
  answerOk(request, response, 'one two three four five');
}

/** Nodes in production mode, each a process, with the models `m` and `half`; half of the deployments of `half` always fail. */
export async function startScene(owned: AsyncDisposableStack, envs: readonly Record<string, string>[], program?: string): Promise<Scene> {
  const identity = owned.use(await startGateway());
  const vendor = owned.use(await startVendor());
  vendor.behave(quickAnswer);
  const broken = owned.use(await startVendor());
  broken.behave((_request, response) => void response.writeHead(500).end('{}'));
  const masterKey = randomBytes(32).toString('base64');
  const start = async (env: Record<string, string>, other?: string): Promise<Node> => {
    let pid = 0;
    const settings = {
      PAILOU_MODE: 'production',
      PAILOU_OAUTH_ISSUER: identity.gateway.issuer,
      PAILOU_OAUTH_PRESET: 'generic',
      PAILOU_OAUTH_AUDIENCE: identity.url,
      PAILOU_MASTER_KEY: masterKey,
      PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
      ...env,
    };
    const gateway = await startGateway(settings, async (all) => {
      // An earlier version does not know this setting.
      const { PAILOU_WARM_UP: _, ...known } = all;
      const started = await startProcess(other === undefined ? all : known, other);
      ({ pid } = started);
      return started;
    });
    owned.use(gateway);
    return { gateway, pid };
  };
  const nodes: Node[] = [];
  for (const env of envs) nodes.push(await start(env, program));
  const [first] = nodes;
  if (first === undefined) throw new Error('A scene has a node.');
  const make = async (path: string, name: string, spec: object): Promise<void> => {
    const { status, text } = await first.gateway.as('admin', 'POST', path, { name, spec });
    if (status !== 201) throw new Error(`${path} ${name}: ${text}`);
  };
  for (const [name, { url }] of Object.entries({ v: vendor, broken }))
    await make('/api/providers', name, { kind: 'openai-compatible', options: { base_url: url } });
  const well = { provider: 'v', model: 'm' };
  await make('/api/models', 'm', { deployments: [well] });
  await make('/api/models', 'half', { deployments: [{ provider: 'broken', model: 'm' }, well], retry: { same: 0 } });
  return { nodes, vendor, identity, url: first.gateway.url, start };
}

export function nothingSeen(): Seen {
  return { whole: 0, explicit: 0, broken: 0, false: 0 };
}

/** How a stream that is to end with the word `last` ended. */
export function endOf(status: number, text: string, last = 'five'): keyof Seen {
  if (status !== 200 || text.includes('"error"')) return 'explicit';
  if (!text.includes('data: [DONE]')) return 'broken';
  return text.includes(last) ? 'whole' : 'false';
}

export const codeOf = (text: string): string | undefined => /"code":"(\w+)"/.exec(text)?.[1];

export interface EndedCall {
  readonly end: keyof Seen;
  /** The code of an explicit error. */
  readonly code?: string | undefined;
  /** The run that the answer named. */
  readonly run: string | null;
  /** As its answer said; null where the headers left before the first attempt had ended. */
  readonly attempts: number | null;
  /** By `performance.now`. */
  readonly at: number;
}

/** One streamed call, read to its end. Never rejects. */
export async function callOnce(url: string, token: string, model: string, last?: string): Promise<EndedCall> {
  let run: string | null = null;
  let attempts: number | null = null;
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      // A connection for each call, as of many clients: none is reused while its node leaves.
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
    });
    run = response.headers.get('x-pailou-trace-id');
    const said = response.headers.get('x-pailou-attempts');
    attempts = said === null ? null : Number(said);
    const text = await response.text();
    return { end: endOf(response.status, text, last), code: codeOf(text), run, attempts, at: performance.now() };
  } catch {
    return { end: 'broken', run, attempts, at: performance.now() };
  }
}

export interface Load {
  /** Default 20. */
  readonly lanes?: number;
  /** Default: a token of the administrator. */
  readonly bearer?: string;
}

/** Calls `model` on all lanes until `fault` has ended, with a second before and after it. */
export async function underLoad(scene: Scene, model: string, fault: () => Promise<void>, load: Load = {}): Promise<EndedCall[]> {
  const bearer = load.bearer ?? (await scene.identity.token('admin'));
  const ended: EndedCall[] = [];
  const over = new AbortController();
  const lane = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const call = await callOnce(scene.url, bearer, model);
      ended.push(call);
      if (call.end !== 'whole') await sleep(50);
    }
  };
  const calling = Array.from({ length: load.lanes ?? 20 }, lane);
  try {
    await sleep(1_000);
    await fault();
    await sleep(1_000);
  } finally {
    over.abort();
    await Promise.all(calling);
  }
  return ended;
}

export function seenOf(ended: readonly EndedCall[]): Seen {
  const seen = nothingSeen();
  for (const { end } of ended) seen[end]++;
  return seen;
}

export function codesOf(ended: readonly EndedCall[]): readonly string[] {
  return [...new Set(ended.flatMap(({ end, code }) => (end === 'explicit' && code !== undefined ? [code] : [])))];
}

type Asker = Pick<TestGateway, 'as'>;

/** The attempts at a provider that the ledger has. */
export async function bookedBy(gateway: Asker, name = 'v'): Promise<number> {
  const { json }: Answer = await gateway.as('admin', 'GET', '/api/usage?by=provider');
  const lines: { provider: string | null; attempts: number }[] = json?.data ?? [];
  return lines.filter(({ provider }) => provider === name).reduce((sum, { attempts }) => sum + attempts, 0);
}

/** What the vendor answered, less what the ledger has, once that no longer changes. Negative: booked twice, or sent on a connection that the vendor had closed. */
export async function missingOf(gateway: Asker, vendor: Vendor): Promise<number> {
  const expected = vendor.requests.length;
  let last = -1;
  for (let still = 0; still < 16;) {
    const now = await bookedBy(gateway).catch(() => -1);
    still = now === last ? still + 1 : 0;
    last = now;
    if (now === expected && still >= 2) break;
    await sleep(500);
  }
  return expected - last;
}

interface BookedAttempt {
  readonly status: number | null;
  readonly detail: string | null;
}

/**
 * The attempts of these calls that ended with their connection before the vendor had answered anything. The vendor need not have received
 * them: it closes idle connections, and a gateway that was stopped for seconds writes on one before it reads that it is closed.
 */
async function unansweredOf(gateway: Asker, ended: readonly EndedCall[]): Promise<number> {
  const waiting = ended.values();
  let found = 0;
  const lane = async (): Promise<void> => {
    for (const { run, attempts } of waiting) {
      if (run === null || attempts === 1) continue;
      const { json } = await gateway.as('admin', 'GET', `/api/runs/${run}`);
      const booked: readonly BookedAttempt[] = json?.attempts ?? [];
      found += booked.filter(({ status, detail }) => status === null && detail?.includes('"reason":"connection_reset"')).length;
    }
  };
  await Promise.all(Array.from({ length: 10 }, lane));
  return found;
}

/** The outcome where nothing may be lost. */
export async function losingNothing({ nodes, vendor }: Scene, ended: readonly EndedCall[]): Promise<Outcome> {
  const [node] = nodes;
  const missing = node === undefined ? Number.NaN : await missingOf(node.gateway, vendor);
  const unanswered = node === undefined || !(missing < 0) ? 0 : await unansweredOf(node.gateway, ended);
  const lost =
    missing === 0
      ? 'nothing'
      : missing > 0
        ? `${missing} attempts`
        : `nothing; ${-missing} attempts are booked that the vendor did not receive (${unanswered} ended with their connection, before an answer)`;
  return { seen: seenOf(ended), codes: codesOf(ended), lost, isExplained: missing <= 0 && -missing <= unanswered };
}
