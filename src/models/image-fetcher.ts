/** Fetches pictures at addresses in a caller's request, for vendors that accept bytes only. The addresses are untrusted and guarded at each step. */
import type { OutboundGuard } from '../outbound/guard.ts';
import type { ChatBody, ChatRequest } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';

export interface PictureFetcher {
  /** The request with every picture as a data URL; the same object when no picture has an address. Throws `invalid_request` naming the part. */
  inline(request: ChatRequest, signal: AbortSignal): Promise<ChatRequest>;
}

const maxBytes = 20 * 1024 * 1024;
const maxPictures = 32;
const maxRedirects = 3;
const patienceMs = 20_000;

/** File signatures: servers often send no type, or a wrong one. */
const signatures: readonly (readonly [type: string, begins: string, at: number])[] = [
  ['image/png', '89504e47', 0],
  ['image/jpeg', 'ffd8ff', 0],
  ['image/gif', '47494638', 0],
  ['image/webp', '57454250', 8],
];

function typeOf(bytes: Buffer): string | undefined {
  return signatures.find(([, begins, at]) => bytes.subarray(at, at + begins.length / 2).toString('hex') === begins)?.[0];
}

/** `fetch` must use `guard` when connecting and must not follow redirects. */
export function createPictureFetcher(options: { readonly guard: OutboundGuard; readonly fetch: typeof fetch }): PictureFetcher {
  const { guard } = options;

  const fetchPicture = async (address: string, param: string, signal: AbortSignal): Promise<string> => {
    const refuse = (why: string, cause?: unknown): GatewayError =>
      new GatewayError('invalid_request', `${param}: ${why}. Send the picture itself as a data: URL instead.`, { param, cause });
    const check = (url: string): string => {
      try {
        return guard.checkUrl(url, param).href;
      } catch (cause) {
        throw refuse('this address may not be fetched', cause);
      }
    };
    let url = check(address);
    for (let step = 0; ; step++) {
      let response: Response;
      try {
        response = await options.fetch(url, { redirect: 'manual', signal, headers: { accept: 'image/*', 'user-agent': 'pailou' } });
      } catch (cause) {
        if (signal.aborted && signal.reason instanceof GatewayError) throw signal.reason;
        throw refuse('the picture could not be fetched', cause);
      }
      const location = response.headers.get('location');
      if (response.status >= 300 && response.status < 400 && location !== null && URL.canParse(location, url)) {
        await response.body?.cancel();
        if (step >= maxRedirects) throw refuse('the address redirects too often');
        url = check(new URL(location, url).href);
        continue;
      }
      if (!response.ok || response.body === null) {
        await response.body?.cancel();
        throw refuse(`its server answered with status ${response.status}`);
      }
      const bytes = await readBounded(response.body, refuse, signal);
      const type = typeOf(bytes);
      if (type === undefined) throw refuse('what the address holds is no PNG, JPEG, GIF or WebP picture');
      return `data:${type};base64,${bytes.toString('base64')}`;
    }
  };

  const readBounded = async (
    body: ReadableStream<Uint8Array>,
    refuse: (why: string, cause?: unknown) => GatewayError,
    signal: AbortSignal,
  ): Promise<Buffer> => {
    const parts: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const part of body as unknown as AsyncIterable<Uint8Array>) {
        size += part.length;
        if (size > maxBytes) break;
        parts.push(part);
      }
    } catch (cause) {
      if (signal.aborted && signal.reason instanceof GatewayError) throw signal.reason;
      throw refuse('the picture could not be fetched whole', cause);
    }
    if (size > maxBytes) throw refuse(`the picture is larger than ${maxBytes / 1024 / 1024} MB`);
    return Buffer.concat(parts);
  };

  return {
    async inline(request, signal) {
      const wanted = new Map<string, string>();
      request.body.messages.forEach((message, index) => {
        const content = message['content'];
        if (!Array.isArray(content)) return;
        content.forEach((part: Json, position) => {
          const address = addressIn(part);
          if (address !== null && !wanted.has(address)) wanted.set(address, `messages[${index}].content[${position}].image_url.url`);
        });
      });
      if (wanted.size === 0) return request;
      if (wanted.size > maxPictures) {
        throw new GatewayError(
          'invalid_request',
          `messages: ${wanted.size} pictures are named by address; at most ${maxPictures} are fetched.`,
          {
            param: 'messages',
          },
        );
      }
      const patience = AbortSignal.timeout(patienceMs);
      const failed = new AbortController();
      const either = AbortSignal.any([signal, patience, failed.signal]);
      const fetching = [...wanted].map(async ([address, param]) => [address, await fetchPicture(address, param, either)] as const);
      const fetched = new Map(
        await Promise.all(fetching).catch((thrown: unknown) => {
          // One missing picture makes the others useless.
          failed.abort();
          throw thrown;
        }),
      );
      const messages = request.body.messages.map((message) => withPictures(message, fetched));
      const body: ChatBody = { ...request.body, messages };
      return { body };
    },
  };
}

/** The address in a picture part, unless the part embeds the picture. */
function addressIn(part: Json): string | null {
  if (!isJsonObject(part) || part['type'] !== 'image_url') return null;
  const image = part['image_url'];
  const url = isJsonObject(image) ? image['url'] : image;
  return typeof url === 'string' && !/^data:/i.test(url) ? url : null;
}

function withPictures(message: JsonObject, fetched: ReadonlyMap<string, string>): JsonObject {
  const content = message['content'];
  if (!Array.isArray(content)) return message;
  return {
    ...message,
    content: content.map((part: Json) => {
      const address = addressIn(part);
      if (address === null || !isJsonObject(part)) return part;
      const image = isJsonObject(part['image_url']) ? part['image_url'] : {};
      return { ...part, image_url: { ...image, url: fetched.get(address) ?? address } };
    }),
  };
}
