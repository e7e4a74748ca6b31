/** What a check gets, and how it fails. */
import { APIError, type OpenAI } from '../test/openai-client.ts';

export interface Scene {
  readonly openai: OpenAI;
  /** The public name of the model. */
  readonly model: string;
  /** The address of the gateway. */
  readonly gateway: string;
  /** The address of llama.cpp itself. */
  readonly server: string;
  /** A bearer token of an administrator. */
  readonly token: string;
}

export interface Check {
  readonly name: string;
  run(scene: Scene): Promise<void>;
}

export function holds(condition: boolean, found: unknown): void {
  if (!condition) throw new Error(`found ${JSON.stringify(found)?.slice(0, 400)}`);
}

/** Fails unless `call` is refused with this status and code. */
export async function refused(call: Promise<unknown>, status: number, code: string): Promise<void> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof APIError)) throw new Error(`found no refusal: ${String(error)}`);
  holds(error.status === status && error.code === code, { status: error.status, code: error.code, message: error.message });
}

export const hello = [{ role: 'user' as const, content: 'Say hello.' }];

/** What llama.cpp itself answers to this body. */
export async function ownAnswer({ server }: Scene, body: object): Promise<OpenAI.ChatCompletion.Choice | undefined> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${server}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) });
  return ((await answer.json()) as OpenAI.ChatCompletion).choices[0];
}

/** The arguments of a choice's first tool call; null where the model calls none. */
export function toolArguments(choice: OpenAI.ChatCompletion.Choice | undefined): string | null {
  const call = choice?.message.tool_calls?.[0];
  return call?.type === 'function' ? call.function.arguments : null;
}
