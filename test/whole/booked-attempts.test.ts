/** The rule of `npm run chaos` and `npm run soak` for attempts that the ledger has and the vendor has not. */
import { expect, it } from 'vitest';
import { callOnce, losingNothing, startScene } from '../../chaos/scene.ts';
import { answerOk } from './vendor.ts';

it('an attempt whose connection closed before an answer need not have reached the vendor; each other one must', async () => {
  await using owned = new AsyncDisposableStack();
  const scene = await startScene(owned, [{}]);
  const { vendor } = scene;
  const token = await scene.identity.token('admin');
  const call = () => callOnce(scene.url, token, 'm');

  let count = 0;
  vendor.behave((request, response) => {
    if (count++ > 0) return answerOk(request, response, 'one two three four five');
    // As on a connection that the vendor had closed: it has not received the request.
    vendor.requests.pop();
    response.destroy();
  });
  const retried = await call();
  expect(retried).toMatchObject({ end: 'whole', attempts: 2 });
  expect(await losingNothing(scene, [retried])).toMatchObject({ isExplained: true, lost: expect.stringContaining('1 attempts') });

  // A second attempt that the vendor does not know, and whose connection did not close.
  const other = await call();
  expect(other).toMatchObject({ end: 'whole', attempts: 1 });
  vendor.requests.pop();
  expect(await losingNothing(scene, [retried, other])).toMatchObject({ isExplained: false, lost: expect.stringContaining('2 attempts') });

  // An attempt that the vendor received and that the ledger has not.
  vendor.requests.push(...vendor.requests.slice(0, 1), ...vendor.requests.slice(0, 1), ...vendor.requests.slice(0, 1));
  expect(await losingNothing(scene, [retried, other])).toMatchObject({ isExplained: false });
});
