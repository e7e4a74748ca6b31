/** Encodes one chat for a vendor and sends it: at once, or when its pictures and its credential have been fetched. */
import type { OutboundClient } from '../outbound/client.ts';
import type { UpstreamHeaders } from '../outbound/receiver.ts';
import type { ChatRequest } from '../types/chat.ts';
import type { GatewayError } from '../types/errors.ts';
import type { Provider, UpstreamCall } from '../types/provider.ts';
import type { ChatFormat, EncodeTarget } from '../types/wire-format.ts';
import type { AnswerReceiver } from './answer-receiver.ts';
import type { PictureFetcher } from './image-fetcher.ts';
import { refusalOf } from './send-upstream.ts';
import { withNativeHeaders } from './translated-request.ts';

type Headers = Record<string, string>;

export interface OutgoingChat {
  readonly client: OutboundClient;
  readonly provider: Provider;
  readonly call: UpstreamCall;
  readonly format: ChatFormat;
  /** The kind of the format. */
  readonly kind: string;
  readonly target: EncodeTarget;
  /** The caller's request. */
  readonly request: ChatRequest;
  readonly pictures: PictureFetcher;
  /** The header of Trace Context. */
  readonly traceparent?: string | undefined;
}

const noHeaders: Readonly<Headers> = {};

export class ChatSender {
  readonly #chat: OutgoingChat;
  /** The headers without the credential, and those that were sent. */
  #plain: Readonly<Headers> = noHeaders;
  #sent: Readonly<Headers> = noHeaders;

  constructor(chat: OutgoingChat) {
    this.#chat = chat;
  }

  /** The classified error of a response without a success status. */
  refusal(status: number, headers: UpstreamHeaders, text: string): GatewayError {
    const { provider, request } = this.#chat;
    return refusalOf({ provider, headers: this.#plain, request: request.body }, this.#sent, { status, headers }, text);
  }

  /** `asked`: the request in this vendor's terms. Throws when it cannot be encoded; a later failure goes to `receiver`. */
  start(asked: ChatRequest, receiver: AnswerReceiver): void {
    const waiting = this.#chat.format.pictures === 'bytes' ? this.#fetchPictures(asked, receiver) : this.#send(asked, receiver);
    waiting?.catch((thrown: unknown) => receiver.refuse(thrown));
  }

  async #fetchPictures(asked: ChatRequest, receiver: AnswerReceiver): Promise<void> {
    const controller = new AbortController();
    receiver.whileWaiting(() => controller.abort());
    await this.#send(await this.#chat.pictures.inline(asked, controller.signal), receiver);
  }

  #send(asked: ChatRequest, receiver: AnswerReceiver): void | Promise<void> {
    const { client, provider, call, format, kind, target, request } = this.#chat;
    const body = format.encodeRequest(asked, target);
    const accept = call.stream ? 'text/event-stream' : 'application/json';
    const own = format.headers?.(target, asked);
    const plain = withNativeHeaders(own === undefined ? { accept } : { accept, ...own }, request, kind);
    const headers: Headers = { 'content-type': 'application/json', 'user-agent': 'pailou', 'accept-encoding': 'identity', accept };
    if (own !== undefined || request.native !== undefined) Object.assign(headers, plain);
    if (this.#chat.traceparent !== undefined) headers['traceparent'] = this.#chat.traceparent;
    this.#plain = plain;
    this.#sent = headers;
    const url = provider.address(call);
    const authorized = provider.authorize(headers, call, { method: 'POST', url, body });
    const outgoing = { method: 'POST', url, headers, body } as const;
    // A credential may have to be fetched, once for all waiting calls. Each call waits within its own limits.
    if (authorized !== undefined) return authorized.then(() => receiver.send(client, outgoing));
    receiver.send(client, outgoing);
  }
}
