/** A person's browser and Pailou beside a real identity service. */
import { expect } from 'vitest';
import { type Answer, eventually, type TestGateway } from '../test/whole/gateway.ts';

/** The answer of the gateway to a bearer token or key. */
export const using = (gateway: TestGateway, credential: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  gateway.as(null, method, path, body, { authorization: `Bearer ${credential}` });

export const provider = (name: string) => ({ name, spec: { kind: 'demo' } });

/** Creates an API key of the token's owner. */
export async function keyOf(gateway: TestGateway, token: string): Promise<string> {
  const answer = await using(gateway, token, 'POST', '/api/keys', { title: 'script', permissions: ['llm:model:view', 'llm:model:use'] });
  expect(answer.status, answer.text).toBe(201);
  return answer.json.key;
}

/** Waits until the cached answers about a person have expired, which takes a minute. */
export function within<T>(look: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  return eventually(look, good, 90_000);
}
