/** A demo vendor: a small local server. It is not an AI and not for production. */
import { z } from 'zod';
import { GatewayError } from '../../types/errors.ts';
import { definePlugin } from '../../types/plugin.ts';

export default definePlugin({
  type: 'provider',
  kind: 'demo',
  title: 'Demo (not an AI)',
  connects: false,
  options: z.strictObject({}),
  async create(_options, services) {
    if (services.mode === 'production')
      throw new GatewayError('configuration_invalid', 'spec.kind: the demo provider does not run in production mode; use a real vendor.', {
        param: 'spec.kind',
      });
    const { startDemoVendor } = await import('./vendor.ts');
    const vendor = await startDemoVendor();
    return {
      formats: { chat: 'openai', embeddings: 'openai' },
      address: ({ operation }) => `${vendor.url}/${operation === 'chat' ? 'chat/completions' : 'embeddings'}`,
      authorize() {},
      [Symbol.asyncDispose]: () => vendor.close(),
    };
  },
});
