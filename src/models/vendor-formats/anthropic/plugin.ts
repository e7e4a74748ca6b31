/** Anthropic's Messages format, which several vendors offer beside their own format. */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { anthropicChat } from './chat.ts';

export default definePlugin({
  type: 'format',
  kind: 'anthropic',
  title: 'Anthropic Messages',
  options: z.strictObject({}),
  create: () => ({ chat: anthropicChat }),
});
