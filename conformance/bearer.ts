/** Preloaded into the suite, which has no option for headers: whatever it sends carries the token in `CONFORMANCE_TOKEN`. */
import http, { type ClientRequest } from 'node:http';
import { Agent, type Dispatcher, setGlobalDispatcher } from 'undici';

const authorization = `Bearer ${process.env['CONFORMANCE_TOKEN'] ?? ''}`;

/** Undici takes headers as a flat list, as pairs or as an object. */
function withToken(headers: Dispatcher.DispatchOptions['headers']): NonNullable<Dispatcher.DispatchOptions['headers']> {
  if (Array.isArray(headers)) return [...headers, 'authorization', authorization];
  if (headers !== null && headers !== undefined && Symbol.iterator in headers) return [...headers, ['authorization', authorization]];
  return { ...headers, authorization };
}

// For fetch and undici's request.
setGlobalDispatcher(
  new Agent().compose((dispatch) => (options, handler) => dispatch({ ...options, headers: withToken(options.headers) }, handler)),
);

// The scenarios about headers write theirs with node:http.
const request = http.request.bind(http) as (...given: unknown[]) => ClientRequest;
http.request = (...given: unknown[]) => request(...given).setHeader('authorization', authorization);
