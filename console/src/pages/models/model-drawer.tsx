/** One model: its form, and who may use it. */
import { Skeleton } from 'antd';
import { type ReactNode, useCallback } from 'react';
import { useKinds } from '../../api/kinds.ts';
import type { Spec } from '../../api/rows.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { GrantList } from '../../components/grant-list.tsx';
import { ResourceDrawer } from '../../components/resource-drawer.tsx';
import { specSchema } from '../../components/schema-form/spec-schema.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

const initial = { name: '', enabled: true, spec: { operations: ['chat'], deployments: [{ provider: '', model: '' }] } };

export function ModelDrawer({ name, onClose }: { readonly name: string | null; readonly onClose: () => void }): ReactNode {
  const t = useTexts(texts);
  const kinds = useKinds();
  const schemaOf = useCallback((spec: Spec) => (kinds.data === undefined ? {} : specSchema(kinds.data, 'model', spec)), [kinds.data]);
  if (kinds.error !== null) return <ErrorState error={kinds.error} onRetry={() => void kinds.refetch()} />;
  if (kinds.data === undefined) return <Skeleton active />;
  return (
    <ResourceDrawer
      collection="models"
      name={name}
      title={name === null ? t('new') : <span translate="no">{name}</span>}
      initial={initial}
      schemaOf={schemaOf}
      onClose={onClose}
    >
      {(_draft, stored) => stored !== null && stored.partial !== true && <GrantList capability={`model/${stored.name}`} />}
    </ResourceDrawer>
  );
}
