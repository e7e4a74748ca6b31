/** Keeps the connection of an MCP client alive while a call takes long: proxies close one that is silent for 30 to 60 seconds. */

const encoder = new TextEncoder();
/** A comment of server-sent events, which clients ignore. */
const comment = encoder.encode(': still here\n\n');
const eventStream = 'text/event-stream';

function isStream(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith(eventStream) === true;
}

/** True for a call whose answer may be a stream, so that its head may leave before the answer. */
export function mayBeStreamed(request: Request): boolean {
  return request.method === 'POST' && request.headers.get('accept')?.includes(eventStream) === true;
}

/** The bytes of an answer as server-sent events. A JSON answer becomes one event. */
async function* eventsOf(answer: Promise<Response>): AsyncGenerator<Uint8Array> {
  const response = await answer;
  if (!isStream(response)) {
    const text = await response.text();
    if (text !== '') yield encoder.encode(`event: message\ndata: ${text.replaceAll(/\r?\n/g, ' ')}\n\n`);
    return;
  }
  if (response.body !== null) yield* response.body;
}

/** The same bytes, with a comment in each silence of `quietMs`. */
function withComments(bytes: AsyncGenerator<Uint8Array>, quietMs: number): ReadableStream<Uint8Array> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      timer = setInterval(() => {
        // A client that does not read gets no further comments.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(comment);
      }, quietMs).unref();
    },
    async pull(controller) {
      try {
        const { done, value } = await bytes.next();
        if (isOver) return;
        if (done !== true) {
          timer?.refresh();
          return controller.enqueue(value);
        }
        clearInterval(timer);
        controller.close();
      } catch (thrown) {
        clearInterval(timer);
        controller.error(thrown);
      }
    },
    cancel() {
      isOver = true;
      clearInterval(timer);
      // A call that still runs ends with the client's connection.
      bytes.return(undefined).catch(() => {});
    },
  });
}

/**
 * The answer, or the head of a stream once `quietMs` have passed without one. `mayBegin`: false where the head depends on the answer, so
 * that only the silence within a stream is broken.
 */
export async function withSignsOfLife(answer: Promise<Response>, mayBegin: boolean, quietMs: number): Promise<Response> {
  let timer: NodeJS.Timeout | undefined;
  const quiet = new Promise<null>((resolve) => {
    if (mayBegin) timer = setTimeout(resolve, quietMs, null);
  });
  const response = await Promise.race([answer, quiet]).finally(() => clearTimeout(timer));
  if (response !== null && !isStream(response)) return response;
  const headers = response === null ? { 'content-type': eventStream, 'cache-control': 'no-cache' } : response.headers;
  const body = withComments(eventsOf(response === null ? answer : Promise.resolve(response)), quietMs);
  return new Response(body, { status: response?.status ?? 200, headers });
}
