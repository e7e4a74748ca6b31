/** The roles of messages in OpenAI's format. Some vendors have more, such as Kimi's `cache`. */

export const messageRoles: ReadonlySet<unknown> = new Set(['system', 'developer', 'user', 'assistant', 'tool', 'function']);
