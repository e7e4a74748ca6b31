/** pailou test: tries a provider that a running gateway has. */
import { parseArgs } from 'node:util';
import { answerOf, gatewayCall, gatewayOptions, printFailure } from './gateway-call.ts';
import { type Command, print, printError, UsageError, printJson } from './command.ts';

interface Verdict {
  readonly ok: boolean;
  readonly duration_ms: number;
  readonly answer?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly detail: string | null };
}

/** Exit code 1 when the vendor does not answer as it must. */
export const testCommand: Command = {
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...gatewayOptions,
        json: { type: 'boolean', default: false },
        model: { type: 'string' },
        operation: { type: 'string', default: 'chat' },
      },
    });
    const [name, ...more] = positionals;
    const { model, operation } = values;
    if (name === undefined || model === undefined || more.length > 0)
      throw new UsageError("Usage: pailou test <provider> --model <the vendor's own name of a model> [--operation embeddings]");
    const call = gatewayCall(values);
    const stored = await call.send('GET', `/api/providers/${encodeURIComponent(name)}`);
    if (stored === null) return 1;
    if (!stored.ok) return printFailure(stored);
    const { spec }: { spec: unknown } = await answerOf(stored);
    const bytes = JSON.stringify({ name, spec, model, operation });
    const response = await call.send('POST', '/api/providers/test', { type: 'application/json', bytes });
    if (response === null) return 1;
    if (!response.ok) return printFailure(response);
    const verdict: Verdict = await answerOf(response);
    if (values.json) printJson(verdict);
    else if (verdict.ok) print(`${name} answers in ${verdict.duration_ms} ms: ${verdict.answer ?? ''}`);
    else printError(`${name} does not answer: ${verdict.error?.message ?? ''} (${verdict.error?.detail ?? verdict.error?.code ?? ''})`);
    return verdict.ok ? 0 : 1;
  },
};
