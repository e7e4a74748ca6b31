/** The sentences about other acts of people and of the gateway itself. */
export const acts = {
  item_new: 'the {item} is new; it is quarantined until its approval',
  item_changed: 'the {item} is not as it was approved; it is quarantined until its approval',
  item_approved: 'the {item} as it is offered now',
  own_account: 'their own account',
  token_tested: 'test of a token',
  read_as_person: 'reads the API as this person',
  explained_allowed: '{action} {capability}: allowed ({rule})',
  explained_denied: '{action} {capability}: not allowed ({rule})',
  left_out: '{count} more since {time} were not recorded one by one; {most} of the total by {actor}.',
  alert_given_up: '{threshold} % in {period}, after {attempts} attempts: {then}',
  circuit_opened_because: '{before} to {state}, found by {by}: {reason}',
  circuit_opened: '{before} to {state}, found by {by}',
  circuit_turned: '{before} to {state}',
  values_sealed: '{values} values sealed with key {key}',
} as const;
