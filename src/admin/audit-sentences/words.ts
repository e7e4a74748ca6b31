/** The values of parameters that are words, which readers translate, and not names. */
export const words = {
  action: ['view', 'use', 'manage', 'create', 'change', 'update', 'delete', 'replace'],
  title: ['provider', 'model', 'skill', 'MCP server', 'limit', 'team', 'service account', 'grant', 'key', 'mcp', 'service'],
  item: ['tool', 'prompt', 'resource'],
  type: ['user', 'role', 'team', 'client', 'service'],
  before: ['closed', 'open'],
  state: ['closed', 'open', 'half-open'],
  by: ['calls', 'probes'],
  field: ['team', 'name', 'service', 'for'],
  whom: ['other people', 'service accounts, and administrators of a team for those of the team'],
  because: ['it starts a program', "it offers tools of other people's servers", 'it acts with the identity of each caller'],
} as const;
