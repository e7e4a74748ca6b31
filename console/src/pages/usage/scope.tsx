/** Whose usage is shown: all that the person sees, or that of one team. Nothing for those who administer no team. */
import { useQuery } from '@tanstack/react-query';
import { Select } from 'antd';
import type { ReactNode } from 'react';
import { callAll } from '../../api/client.ts';
import type { Row } from '../../api/rows.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

/** Stands for all that the person sees; no team has an empty name. */
const everything = '';

interface ScopeProps {
  readonly team: string | undefined;
  readonly seesAll: boolean;
  readonly onChange: (team: string | undefined) => void;
}

export function Scope({ team, seesAll, onChange }: ScopeProps): ReactNode {
  const t = useTexts(texts);
  // The gateway lists the teams whose usage its reader may see: all of the tenant, or those that they administer.
  const teams = useQuery({
    queryKey: ['/api/teams', 'names'],
    queryFn: async ({ signal }) => (await callAll<Row>('/api/teams', signal)).map(({ name }) => name),
  });
  const names = teams.data ?? [];
  // A team in the address that is not theirs: the way back stays, and the gateway refuses its usage.
  if (names.length === 0 && team === undefined) return null;
  return (
    <div translate="no">
      <Select
        className="usage-choice"
        aria-label={t('whose')}
        value={team ?? everything}
        options={[
          { value: everything, label: t(seesAll ? 'whose.all' : 'whose.own') },
          ...[...new Set([...names, ...(team === undefined ? [] : [team])])].map((name) => ({
            value: name,
            label: t('whose.team', { name }),
          })),
        ]}
        showSearch={{ optionFilterProp: 'label' }}
        onChange={(next) => onChange(next === everything ? undefined : next)}
      />
    </div>
  );
}
