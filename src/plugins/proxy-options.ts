/** Adds the options for a proxy to every kind of row that connects to a network. */
import { z } from 'zod';
import type { Plugin } from '../types/plugin.ts';
import { proxyFields, withoutProxy } from '../types/proxy.ts';

type ProxyOptions = { readonly [field in keyof typeof proxyFields]?: string | undefined };

/** The same plugin for one without connections, or whose options are no object. */
export function withProxyOptions(plugin: Plugin): Plugin {
  const { options, type, connects } = plugin;
  if ((type !== 'provider' && type !== 'tool-source') || connects === false || !(options instanceof z.ZodObject)) return plugin;
  const extended = options.safeExtend(proxyFields).superRefine((given, context) => {
    const { proxy, proxy_user: user, proxy_password: password } = given as ProxyOptions;
    if (user !== undefined && (proxy === undefined || proxy === withoutProxy))
      context.addIssue({
        code: 'custom',
        path: ['proxy_user'],
        message: 'has no meaning without `proxy`; leave it out, or write that too',
      });
    if (password !== undefined && user === undefined)
      context.addIssue({ code: 'custom', path: ['proxy_password'], message: 'has no meaning without `proxy_user`; write that too' });
  });

  return { ...plugin, options: extended };
}
