/** A tool source for one REST service. Listing reads the document; each call is one HTTP request. */
import { GatewayError } from '../../../../types/errors.ts';
import type { JsonObject } from '../../../../types/json.ts';
import type { PluginServices } from '../../../../types/plugin.ts';
import { compileSchema, type SchemaCheck } from '../../../../schema/json-schema.ts';
import { emptyServerListing, SourceRefusal, type ToolContext, type ToolResult, type ToolSource } from '../../../../types/tool-source.ts';
import { authorised } from '../credentials/bearer-fetch.ts';
import type { TokenSource } from '../credentials/token-source.ts';
import { unreachable, failureText } from '../session/connection-errors.ts';
import { failedResult, readAnswer } from './tool-result.ts';
import { DocumentError } from './document.ts';
import { createDocumentSource } from './document-source.ts';
import { type Operation, type Operations, readOperations } from './operations.ts';
import { type HttpRequest, InputError, writeRequest } from './http-request.ts';
import { serviceAddress } from './service-address.ts';

export interface RestOptions {
  readonly document: JsonObject | null;
  readonly document_url: string | undefined;
  readonly url: string | undefined;
  readonly operations?: readonly string[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly max_answer_bytes: number;
  readonly tokens: TokenSource | null;
  readonly secrets: readonly string[];
  readonly services: PluginServices;
}

interface Read extends Operations {
  readonly base: URL;
}
interface Checks {
  readonly input: SchemaCheck | null;
  readonly output: SchemaCheck | null;
}

const mostLogged = 10;

/** Null for a schema that the validator rejects. Then only the service checks the input. */
function checkOf(schema: JsonObject): SchemaCheck | null {
  try {
    return compileSchema(schema);
  } catch {
    return null;
  }
}

export function createRestSource(options: RestOptions): ToolSource {
  const { services, secrets, tokens } = options;
  const documents = createDocumentSource(options);
  const choice = {
    chosen: options.operations ?? null,
    ownHeaders: new Set(Object.keys(options.headers).map((name) => name.toLowerCase())),
    ownQuery: new Set(Object.keys(options.query)),
  };
  const checks = new WeakMap<Operation, Checks>();
  let known: { readonly document: JsonObject; readonly read: Read } | null = null;
  const hide = (text: string): string => failureText(text, secrets);

  const read = async (signal: AbortSignal): Promise<Read> => {
    const document = await documents.read(signal);
    if (known?.document === document) return known.read;
    const found = readOperations(document, choice);
    if (found.operations.size === 0)
      throw new DocumentError(
        found.left[0] === undefined ? 'has none of the chosen operations' : `offers nothing that can be called: ${found.left[0]}`,
      );
    if (found.left.length > 0)
      services.logger.warn(
        { count: found.left.length, first: found.left.slice(0, mostLogged) },
        'operations of an OpenAPI document are left out',
      );
    const base = services.checkUrl(serviceAddress(document, options), 'spec.options.url');
    known = { document, read: { ...found, base } };
    return known.read;
  };

  /** Adds the reason of an unusable document to the error, for administrators of the server. */
  const explained = async (signal: AbortSignal): Promise<Read> => {
    try {
      return await read(signal);
    } catch (thrown) {
      if (!(thrown instanceof DocumentError)) throw unreachable(thrown, secrets);
      const details = hide(`The document ${thrown.message}.`).slice(0, 1_000);
      throw new GatewayError('tool_failed', 'The OpenAPI document of this server cannot be used. Tell your administrator.', {
        cause: thrown,
        details,
      });
    }
  };

  const checksOf = (operation: Operation): Checks => {
    let made = checks.get(operation);
    if (made === undefined) {
      const { inputSchema, outputSchema } = operation.definition;
      made = { input: checkOf(inputSchema), output: outputSchema === undefined ? null : checkOf(outputSchema) };
      checks.set(operation, made);
    }
    return made;
  };

  const send = async (request: HttpRequest, context: ToolContext): Promise<Response> => {
    for (const [name, value] of Object.entries(options.query)) request.url.searchParams.set(name, value);
    const fetcher = tokens === null ? services.fetch : authorised(services.fetch, tokens, () => context);
    return fetcher(request.url, {
      method: request.method,
      headers: {
        accept: 'application/json, text/*;q=0.9, */*;q=0.5',
        ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
        ...request.headers,
        ...options.headers,
      },
      ...(request.body === null ? {} : { body: request.body }),
      // Redirects are not followed, so that secrets do not reach another origin.
      redirect: 'manual',
      signal: context.signal,
    });
  };

  return {
    async list(signal) {
      const { operations } = await explained(signal);
      return { ...emptyServerListing, tools: [...operations.values()].map(({ definition }) => definition) };
    },

    async call(tool, input, context): Promise<ToolResult> {
      const { operations, base } = known?.read ?? (await explained(context.signal));
      const operation = operations.get(tool);
      if (operation === undefined) throw new SourceRefusal(`There is no operation "${tool.slice(0, 100)}".`, -32_602, undefined);
      const { input: inputCheck, output } = checksOf(operation);
      const fault = inputCheck?.fault(input) ?? null;
      if (fault !== null)
        return failedResult(`The input does not fit: ${fault.path} ${fault.message}. Look at the tool's schema and try again.`);
      try {
        const response = await send(writeRequest(base, operation, input), context);
        return await readAnswer(response, options.max_answer_bytes, hide, output);
      } catch (thrown) {
        if (thrown instanceof InputError) return failedResult(`The input cannot be sent: ${thrown.message}.`);
        if (context.signal.aborted) throw thrown;
        throw unreachable(thrown, secrets);
      }
    },

    onChange: () => () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}
