/** The messages of `permission_denied`. `{then}` stands for a further sentence with a code of its own, such as the reason. */
export const refusals = {
  may_not_any_tool: 'You may not use any tool of {server}. Ask for a grant.',
  may_not_anything: 'You may not use anything of {server}. Ask for a grant.',
  may_not_tool: 'You may not use mcp/{tool}. Ask for a grant.',
  may_not_grant: 'You may not grant rights on "{capability}": only those who manage it may, and patterns or tags only administrators.',
  may_not_transfer: 'You may not transfer the {title} "{name}": {then}',
  may_not_row: 'You may not {action} the {title} "{name}": {then}',
  may_not: 'You may not {action} {capability}: {then}',
  may_no_longer: 'You may no longer {action} {capability}: {then}',
  no_runs_any_more: 'You may no longer see these runs. Open the stream again to see your own.',
  administrators_only: 'Only administrators may do this.',
  runs_of_others: 'Only administrators may see the runs of others. Leave out user to see your own.',
  usage_of_others: 'Only administrators may see the usage of others. Leave out user to see your own.',
  rights_of_people: 'Only administrators may explain the rights of other people.',
  rights_of_person: 'Only administrators may explain the rights of another person.',
  view_as_others: 'Only administrators may see the gateway as another person.',
  viewing_only:
    'You see the gateway as another person: nothing can be changed, called or downloaded so. End the view, or leave out {header}.',
  as_themselves: 'This process answers callers as themselves alone.',
  token_without_codes: 'Your token carries none of the permissions {permissions}. Ask your administrator for it, then fetch a new token.',
  settings_of_process:
    'The settings of the process hold for all tenants; they are for administrators of the tenant that runs this gateway.',
  metrics_of_process:
    'Metrics name the models of every tenant; they are for administrators of the tenant that runs this gateway, or for its metrics token (PAILOU_METRICS_TOKEN).',
  keys_open_calls: 'A key opens the calls under /v1 and /mcp, nothing else. Use a token of your OAuth2 service here.',
  mcp_alone: 'This token was issued to an MCP client and opens /mcp alone.',
  other_origin: 'Requests from web pages of other origins are not accepted here.',
  csrf: 'A change by a browser needs the header x-pailou-csrf, as GET /auth/session gives it.',
  blocked: 'You are blocked at this gateway. An administrator can undo it.',
  key_network: 'This key may not be used from your address. Its owner can change its networks.',
  key_rotated_by_owner: 'Only its owner can rotate a key; for a service account, an administrator.',
  key_changed_by_owner: 'Only its owner can change a key; an administrator may set enabled.',
  key_disabled_by_other: 'This key was disabled by {person}. Ask them or an administrator to enable it; you can revoke it.',
  key_for_others: '{field}: only administrators make keys for {whom}. Leave it out for a key of your own.',
  key_beyond_given: 'permissions: you do not have {permission}, so you cannot give it.',
  key_beyond: 'permissions: you do not have {permission}.',
  key_empty: 'You have none of these permissions, so the key would allow nothing.',
  name_of_shared:
    '"{name}" belongs to the tenant "{tenant}", which shares it with yours: only its administrators change it. GET /api/shared shows it, and you can grant it.',
  skill_right_lost: 'The skill "{skill}" may no longer run with its own list.',
  skill_rights_short:
    'The skill "{skill}" runs with its own list and the rights of {person}, who published it, which do not include {capability}. Ask an administrator.',
  skill_not_listed: 'The skill "{skill}" may not use {capability}: its row does not name it under tools.',
  skill_publisher_unknown:
    'The skill "{skill}" runs with the right of {person}, who published it and is not known any more. Another person has to publish it.',
  server_of_caller:
    'The MCP server "{server}" works with the account or the token of its caller, so the skill "{skill}", which runs with its own list, may not use it.',
  tool_disabled_here: 'The tool "{tool}" of {server} is disabled by an administrator.',
  tool_quarantined: 'The tool "{tool}" of {server} is quarantined: its definition has changed and waits for an administrator\'s approval.',
  tool_needs_approval: "The tool {tool} needs a person's approval, which cannot be requested here.",
  tool_needs_elicitation:
    "The tool {tool} needs a person's approval, and your client cannot ask for one (it does not offer elicitation). Use a client that can.",
  shared_server_approval: 'Other tenants have this server too, so only administrators approve its definitions.',
  token_not_sent:
    'Your token is not sent to the OAuth2 service of this MCP server: it is not the token endpoint of the service that made your token. Tell your administrator.',
  token_to_exchange:
    "This MCP server exchanges the caller's own access token. Send one; an API key or a browser cookie cannot be exchanged.",
  field_refused: '{field}: {then}',
} as const;
