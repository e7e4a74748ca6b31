/** A form whose client disconnects before the server reads it, because admission can take longer than the client waits. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { callerOf } from '../../../src/api/request-caller.ts';
import { receiveSkillForm } from '../../../src/api/bodies/skill-form.ts';
import { abortSignalOf } from '../../../src/scheduling/cancellation.ts';

const server = createServer();
afterEach(() => void server.close());

/** A form that has arrived in part, and its reply, after the connection was closed. */
async function leftForm(): Promise<{ request: IncomingMessage; response: ServerResponse }> {
  server.listen(0);
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port);
  const came = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  await once(socket, 'connect');
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: 1000\r\n\r\n--x');
  const [request, response] = await came;
  const closed = once(response, 'close');
  socket.destroy();
  await closed;
  return { request, response };
}

it('is not awaited', async () => {
  const { request: raw, response } = await leftForm();
  const principal = { tenant: 'acme', issuer: 'i', subject: 'ann' };
  const request = { raw, headers: raw.headers, principal, held: { snapshot: { revision: 1, tenant: () => ({}) } }, id: 'r' };
  const { signal } = callerOf(request as never, { raw: response } as never);
  const room = { reach() {}, [Symbol.dispose]() {} };
  const late = new Promise((resolve) => setTimeout(() => resolve('waits'), 1_000));
  await expect(Promise.race([receiveSkillForm(request as never, {}, { signal: abortSignalOf(signal), room }), late])).rejects.toMatchObject(
    {
      code: 'client_closed_request',
    },
  );
});
