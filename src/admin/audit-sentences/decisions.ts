/** The sentences of decisions: the reasons for which `src/auth/decide*.ts` refuses. */
export const decisions = {
  nothing_here: 'There is no such thing in your tenant.',
  no_team_here: 'There is no such team in your tenant.',
  no_role: 'You have no role here, so nothing is within your reach. Ask your administrator to give you one.',
  viewer_only: 'A viewer may look, but neither use nor manage. Ask your administrator for the role user.',
  not_owner: 'Only its owner or an administrator may manage it. Ask for it to be transferred to you.',
  key_narrowed: 'Your key was not made for this. Its owner can make another, or use a token.',
  no_code: 'You do not have the permission {permission}. Ask your administrator for it, then fetch a new token.',
  no_grant: 'You have no grant to {action} it. Ask its owner or an administrator for one.',
  of_other_tenant: 'It belongs to the tenant "{tenant}", which shares it with yours. Only its administrators change it.',
  shared_without_grant:
    'The tenant "{tenant}" shares it, and no grant of your tenant lets you {action} it. An administrator of your tenant grants it by name.',
  not_team_administrator: 'You do not administer this team. Ask an administrator of the tenant to name you in it.',
  teams_by_tenant: 'Only an administrator of the tenant sets up teams and their service accounts.',
  key_of_other: 'It is the key of another person.',
  limits_by_administrator: 'Only an administrator sets limits.',
  teams_by_administrator: 'Only an administrator sets up teams.',
  accounts_by_administrator: 'Only an administrator sets up service accounts.',
  owner_by_administrator: 'Only an administrator may name another owner.',
  no_owner_by_administrator: 'Only an administrator may leave it without an owner.',
  rights_by_managers: 'Rights on "{capability}" are granted by those who manage it, and by patterns or tags only by administrators.',
  provider_without_grant:
    'The provider "{provider}" is not yours, and no grant lets you use it. Ask its owner or an administrator for a grant on provider/{name} (action use).',
  model_not_offered:
    'The provider "{provider}" does not offer the model "{model}" to others. Ask its owner to add it to spec.offered_models of the provider.',
  price_by_owner: 'The price of what the provider "{provider}" is paid for is set by its owner or an administrator. Leave the price out.',
  own_list_by_administrator: 'Only an administrator allows a version of a skill to run with its own list.',
  sharing_by_administrator:
    'Only administrators share a row with other tenants, and change or delete one that is shared, or a provider that a shared model calls.',
  name_reserved: 'The name "{name}" is reserved for administrators by the {row}. Choose another, or ask one of them.',
  prefix_reserved: 'A name that begins with "{text}" is reserved for administrators by the {row}. Choose another, or ask one of them.',
  tag_reserved: 'The tag "{text}" is reserved for administrators by the {row}. Choose another, or ask one of them.',
  reserved: '{subject} is reserved for administrators by the {row}. Choose another, or ask one of them.',
  kind_by_administrator: 'Only an administrator may set up one of kind {kind}, because {because}.',
} as const;
