/** The error answers of an operation for the description of the API. */
import type { JsonObject } from '../../types/json.ts';

const text: JsonObject = { type: 'string' };

export const errorSchemas = {
  Error: {
    type: 'object',
    properties: {
      error: {
        type: 'object',
        properties: {
          message: { type: 'string', description: 'What is wrong and what to do, in plain words.' },
          type: text,
          param: { type: ['string', 'null'], description: 'The field that is wrong.' },
          code: { type: 'string', description: 'A code of docs/errors.md.' },
        },
        required: ['message', 'type', 'param', 'code'],
      },
      request_id: { type: 'string', description: 'Also in x-request-id; GET /api/runs?request_id=… finds the call.' },
    },
    required: ['error', 'request_id'],
  },
  MessagesError: {
    type: 'object',
    properties: {
      type: { const: 'error' },
      error: { type: 'object', properties: { type: text, message: text }, required: ['type', 'message'] },
      request_id: text,
    },
    required: ['type', 'error'],
  },
} as const satisfies Record<string, JsonObject>;

const meanings: Readonly<Record<string, string>> = {
  '400': 'The request is malformed; `param` names the field.',
  '401': 'No token, or one that is not valid here.',
  '403': 'You may not do this; GET /api/explain says why.',
  '404': 'There is no such thing in your tenant.',
  '409': 'The row has changed since you read it, or the name is taken; `error.current` may hold the row of now.',
  '413': 'The body is larger than the gateway takes.',
  '415': 'The body is not of the media type that the address takes.',
  '429': 'A limit or a budget is reached; `retry-after` says when to try again.',
  '502': 'The vendor answered with an error, or with what is no answer.',
  '503': 'The vendor, the database or the identity service cannot be reached.',
  '504': 'The vendor did not answer in time.',
};

export interface ErrorCases {
  readonly method: string;
  readonly path: string;
  readonly isPublic: boolean;
  readonly hasBody: boolean;
  /** True when a vendor is called. */
  readonly callsVendor: boolean;
}

/** The error answers by status, as references. */
export function errorAnswers({ method, path, isPublic, hasBody, callsVendor }: ErrorCases): Record<string, JsonObject> {
  const writes = method !== 'get';
  const statuses = [
    '400',
    ...(isPublic ? [] : ['401', '403']),
    ...(path.includes('{') || callsVendor ? ['404'] : []),
    ...(writes && path.startsWith('/api/') ? ['409'] : []),
    ...(hasBody ? ['413', '415'] : []),
    ...(callsVendor ? ['429', '502', '503', '504'] : ['503']),
  ];
  const family = path.startsWith('/v1/messages') ? 'MessagesError' : 'Error';
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/${family}${status}` }]));
}

/** All error answers, for `components.responses`. */
export function errorResponses(): Record<string, JsonObject> {
  const answers = (Object.keys(errorSchemas) as (keyof typeof errorSchemas)[]).flatMap((family) =>
    Object.entries(meanings).map(([status, description]) => [
      `${family}${status}`,
      { description, content: { 'application/json': { schema: { $ref: `#/components/schemas/${family}` } } } },
    ]),
  );
  return Object.fromEntries(answers) as Record<string, JsonObject>;
}
