/** Reads an event stream of the gateway: the JSON of each `data:` line, in order. */
import { ApiError } from './api-error.ts';

interface StreamedError {
  readonly error?: { readonly code?: string | null; readonly message?: string; readonly param?: string | null };
}

/** Calls `onData` for each event. Throws `ApiError` for an error event, or when the stream ends without its end mark. */
export async function readEventStream(response: Response, onData: (data: unknown) => void): Promise<void> {
  const requestId = response.headers.get('x-request-id');
  const failed = (code: string, message: string, param: string | null): ApiError =>
    new ApiError({ status: response.status, code, message, param, requestId });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let isDone = false;
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) break;
    rest += part.value;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data:')) continue;
      const text = line.slice('data:'.length).trim();
      if (text === '[DONE]') {
        isDone = true;
        continue;
      }
      const data = JSON.parse(text) as StreamedError;
      if (data.error !== undefined) throw failed(data.error.code ?? 'unknown', data.error.message ?? '', data.error.param ?? null);
      onData(data);
    }
  }
  if (!isDone) throw failed('upstream_interrupted', 'The stream ended without [DONE].', null);
}
