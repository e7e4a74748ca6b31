/** What one person sees and may use, decided by the gateway from the rights of their last token. */
import { App, Form } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { usePaged } from '../../api/rows.ts';
import { useViewAs } from '../../api/view-as.ts';
import { ActButton } from '../../components/act-button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { errorText } from '../../components/error-text.ts';
import { errorTexts } from '../../components/error-texts.ts';
import { FactList } from '../../components/fact-list.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { actions, type Line } from './matrix-tab.tsx';
import { PersonField, usePeople } from './person-field.tsx';
import { RulingTag } from './ruling-tag.tsx';
import { texts } from './texts.ts';

function Reach({ person }: { readonly person: string }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const query = usePaged<Line>('/api/access/matrix', { subject: person, allowed_only: 'true' });
  const seen = query.data?.pages.flatMap(({ data }) => data).find(({ subject }) => subject.type === 'person')?.subject;
  const known = usePeople().find(({ id }) => id === person);
  const roles = seen?.roles ?? known?.roles ?? [];
  const columns = useMemo(
    (): readonly Column<Line>[] => [
      {
        key: 'capability',
        title: t('capability'),
        width: 260,
        fixed: 'start',
        render: (line) => <code translate="no">{line.capability}</code>,
      },
      ...actions.map((action): Column<Line> => ({
        key: action,
        title: t(`action.${action}`),
        width: 110,
        render: (line) => <RulingTag ruling={line[action]} />,
      })),
    ],
    [t],
  );
  return (
    <>
      <FactList
        facts={[
          [t('roles'), roles.length > 0 && <code translate="no">{roles.join(' ')}</code>],
          [t('seen'), seen?.seen_at === undefined ? null : format.dateTime(seen.seen_at)],
        ]}
      />
      <ResourceTable
        label={t('viewAs')}
        query={query}
        columns={columns}
        rowKey={({ subject, capability }) => `${subject.type} ${subject.name} ${capability}`}
        textOf={({ capability }) => capability}
        empty={<EmptyState title={t('seesNothing')} help={t('seesNothingHelp')} />}
      />
    </>
  );
}

function ViewButton({ person }: { readonly person: string }): ReactNode {
  const t = useTexts(texts);
  const { begin } = useViewAs();
  const { message } = App.useApp();
  const tell = useTexts(errorTexts);
  const view = async (): Promise<void> => {
    try {
      await begin(person);
    } catch (thrown) {
      void message.error(errorText(tell, thrown as Error));
    }
  };
  return (
    <p>
      <ActButton onClick={() => void view()}>{t('seeConsole')}</ActButton>
    </p>
  );
}

export function ViewAsTab(): ReactNode {
  const t = useTexts(texts);
  const [{ as = '' }, setSearch] = useSearchState('as');
  return (
    <>
      <p className="form-help">{t('viewAsHelp')}</p>
      <Form layout="vertical" component="div" className="explain-form">
        <Form.Item label={t('person')} htmlFor="view-as-person">
          <PersonField id="view-as-person" label={t('person')} value={as} onChange={(next) => setSearch({ as: next })} />
        </Form.Item>
      </Form>
      {as !== '' && <ViewButton person={as} />}
      {as !== '' && <Reach key={as} person={as} />}
    </>
  );
}
