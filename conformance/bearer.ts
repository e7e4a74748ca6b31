/** Preloaded into the suite, which has no option for headers. Adds the token in `CONFORMANCE_TOKEN` to each request. */
import http, { type ClientRequest } from 'node:http';
import { Agent, type Dispatcher, setGlobalDispatcher } from 'undici';

const authorization = `Bearer ${process.env['CONFORMANCE_TOKEN'] ?? ''}`;

/** Undici accepts headers as a flat list, as pairs or as an object. */
function withToken(headers: Dispatcher.DispatchOptions['headers']): NonNullable<Dispatcher.DispatchOptions['headers']> {
  if (Array.isArray(headers)) return [...headers, 'authorization', authorization];
  if (headers !== null && headers !== undefined && Symbol.iterator in headers) return [...headers, ['authorization', authorization]];
  return { ...headers, authorization };
}

// Covers fetch and undici's request.
setGlobalDispatcher(
  new Agent().compose((dispatch) => (options, handler) => dispatch({ ...options, headers: withToken(options.headers) }, handler)),
);

// The scenarios about headers use node:http.
const request = http.request.bind(http) as (...given: unknown[]) => ClientRequest;
http.request = (...given: unknown[]) => request(...given).setHeader('authorization', authorization);
