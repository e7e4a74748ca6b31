/** OpenAI itself. */
import { z } from 'zod';
import { openaiAddresses, openaiFormats } from './compatible/addresses.ts';
import { definePlugin } from '../types/plugin.ts';
import { secret } from '../types/secret.ts';

const options = z.strictObject({
  api_key: secret().describe('A key of platform.openai.com.'),
  base_url: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .max(2_000)
    .default('https://api.openai.com/v1'),
  organization: z.string().max(200).optional(),
  project: z.string().max(200).optional(),
});

export default definePlugin({
  type: 'provider',
  kind: 'openai',
  title: 'OpenAI',
  options,
  create({ api_key, base_url, organization, project }, services) {
    const base = services.checkUrl(base_url, 'spec.options.base_url').href.replace(/\/+$/, '');
    return {
      formats: openaiFormats,
      address: openaiAddresses(base),
      authorize(headers) {
        headers['authorization'] = `Bearer ${api_key}`;
        if (organization !== undefined) headers['openai-organization'] = organization;
        if (project !== undefined) headers['openai-project'] = project;
      },
    };
  },
});
