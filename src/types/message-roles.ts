/** The roles that a message of OpenAI's format may have. Some vendors know more, such as Kimi's `cache`. */

export const messageRoles: ReadonlySet<unknown> = new Set(['system', 'developer', 'user', 'assistant', 'tool', 'function']);
