/** The paid probe: one real call that requests one token, made and recorded like an attempt. */
import { completedUsage } from '../models/estimate-usage.ts';
import type { ModelInvoker } from '../models/invoke.ts';
import { Run } from '../telemetry/run.ts';
import type { Principal } from '../types/access.ts';
import type { ChatBody, Usage } from '../types/chat.ts';
import { toGatewayError } from '../types/errors.ts';
import type { Ledger } from '../types/run.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import { probedOperations } from '../types/wire-format.ts';
import { attemptChat, type AttemptContext } from './attempt.ts';
import { attemptOnce } from './attempt-once.ts';
import { textOf } from './merged-usage.ts';
import type { Permit } from './deployments.ts';
import type { Asked } from './probe-models.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface TokenQuestion {
  readonly model: ModelEntry;
  readonly permit: Permit;
  readonly invoker: ModelInvoker;
  readonly ledger: Ledger;
  readonly tenant: string;
  readonly revision: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const prompt = 'Hi';

/** The principal of probes in the ledger. It has no issuer, so it cannot sign in. */
function prober(tenant: string): Principal {
  return {
    subject: 'pailou',
    username: 'pailou',
    tenant,
    roles: [],
    permissions: new Set(),
    client: null,
    issuer: '',
    credential: 'token',
    expiresAt: 0,
  };
}

/** The latency of a one-word probe says nothing about callers' latencies. */
function withoutTimes(permit: Permit): Permit {
  return { works: () => permit.works(), end: (result) => permit.end({ ...result, firstTokenMs: null, answerMs: null }) };
}

/** The usage of the answer, from the vendor or estimated. */
async function requestUsage(deployment: Deployment, question: TokenQuestion, run: Run): Promise<Usage | null> {
  const { model, invoker, timeoutMs, signal: stopped } = question;
  const patient: ModelEntry = {
    ...model,
    spec: { ...model.spec, limits: { ...model.spec.limits, first_token_ms: timeoutMs, idle_ms: timeoutMs, total_ms: timeoutMs } },
  };
  const context: AttemptContext = {
    run,
    invoker,
    permit: withoutTimes(question.permit),
    signal: stopped,
    totalAt: monotonicNow() + timeoutMs,
  };
  const operation = probedOperations.find((each) => model.spec.operations.includes(each));
  if (operation === 'embeddings') {
    const body = { model: model.name, input: prompt };
    const { usage } = await attemptOnce(deployment, patient, context, (each, signal) => invoker.embeddings(each, body, { signal }));
    return usage;
  }
  if (operation === 'rerank') {
    const body = { model: model.name, query: prompt, documents: [prompt] };
    const { usage } = await attemptOnce(deployment, patient, context, (each, signal) => invoker.rerank(each, body, { signal }));
    return usage;
  }
  const body: ChatBody = { model: model.name, max_tokens: 1, messages: [{ role: 'user', content: prompt }] };
  const answer = await attemptChat(deployment, patient, { body }, { stream: false, whole: true }, context);
  run.firstToken();
  let text = '';
  let reported: Usage | null = null;
  for await (const batch of answer.events) {
    text += textOf(batch);
    for (const event of batch) if (event.type === 'response-end') reported = event.usage;
  }
  return completedUsage(reported, body, text);
}

/** Never rejects. When it resolves, the permit is released and the run is recorded. */
export async function requestToken(deployment: Deployment, question: TokenQuestion): Promise<Asked> {
  const { model, ledger, tenant, revision } = question;
  const at = Date.now();
  const began = monotonicNow();
  const billedAs = probedOperations.find((each) => model.spec.operations.includes(each));
  const run = new Run(ledger, {
    principal: prober(tenant),
    requestId: '',
    capability: `model/${model.name}`,
    operation: 'probe',
    streamed: false,
    revision,
    ...(billedAs === undefined ? {} : { billedAs }),
  });
  try {
    const usage = await requestUsage(deployment, question, run);
    run.answeredBy(deployment.id, deployment.price, deployment.provider.restricted === true);
    if (usage !== null) run.used(usage);
    run.end('complete');
    return { at, latencyMs: monotonicNow() - began, error: null };
  } catch (thrown) {
    const error = toGatewayError(thrown);
    run.end(error.code === 'client_closed_request' ? 'aborted' : 'error', error.code);
    return { at, latencyMs: monotonicNow() - began, error };
  }
}
