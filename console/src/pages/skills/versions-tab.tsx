/** The versions of a skill: publish the settings, see what differs, choose what callers get. */
import { App, Alert, Button, Form, Input, Skeleton, Space, Tag } from 'antd';
import { type ReactNode, useState } from 'react';
import type { Row } from '../../api/rows.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { DifferencesTable } from '../../components/differences-table.tsx';
import { differencesOf } from '../../components/differences.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { FittingTable } from '../../components/fitting-table.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { nextVersion } from './next-version.ts';
import { deleteVersion, publish, rollBack, type SkillSpec, type SkillVersion, useSkillAct, useVersions } from './skill-api.ts';
import { texts } from './texts.ts';

/** Fields that publishing itself sets. */
const own = new Set(['live', 'version', 'runs_as_allowed']);

interface VersionsTabProps {
  readonly row: Row<SkillSpec>;
  readonly isDirty: boolean;
  readonly canChange: boolean;
}

export function VersionsTab({ row, isDirty, canChange }: VersionsTabProps): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const { message, modal } = App.useApp();
  const versions = useVersions(row.name);
  const [typed, setTyped] = useState<string | null>(null);
  const { live } = row.spec;
  const published = useSkillAct((version: string) => publish(row.name, version, row.revision));
  const rolled = useSkillAct((version: string | null) => rollBack(row.name, version));
  const deleted = useSkillAct((version: string) => deleteVersion(row.name, version));
  if (versions.error !== null) return <ErrorState error={versions.error} onRetry={() => void versions.refetch()} />;
  if (versions.data === undefined) return <Skeleton active />;
  const list = versions.data;
  const proposed = nextVersion(
    row.spec.version,
    list.map(({ version }) => version),
  );
  const wanted = typed ?? proposed;
  const failure = published.error ?? rolled.error ?? deleted.error;

  const makeLive = (version: string | null): void => {
    const shown = version ?? t('unversioned');
    modal.confirm({
      title: t('rollBackAsk', { version: shown }),
      content: t('rollBackHelp'),
      okText: t('rollBack'),
      cancelText: t('cancel'),
      // Not the promise of the message: it would hold the question open until the message fades.
      onOk: () =>
        rolled.mutateAsync(version).then(
          () => void message.success(t('isLive', { version: shown })),
          () => undefined,
        ),
    });
  };
  const differences = ({ spec }: SkillVersion): ReactNode => (
    <DifferencesTable
      before={t('inVersion')}
      after={t('inSettings')}
      differences={differencesOf(spec, row.spec).filter(({ path }) => !own.has(path))}
    />
  );
  return (
    <>
      <Alert
        type="info"
        showIcon
        className="drawer-note"
        title={live == null ? t('callersGetRow') : t('callersGet', { version: live })}
        action={
          canChange &&
          live != null && (
            <Button size="small" onClick={() => makeLive(null)}>
              {t('unpublish')}
            </Button>
          )
        }
      />
      {canChange && (
        <Form
          layout="vertical"
          onFinish={() =>
            published.mutate(wanted, {
              onSuccess: () => {
                setTyped(null);
                message.success(t('isLive', { version: wanted }));
              },
            })
          }
        >
          <Form.Item label={t('version')} htmlFor="publish-version" extra={t('publishHelp')}>
            <Space.Compact>
              <Input id="publish-version" translate="no" value={wanted} onChange={({ target }) => setTyped(target.value)} />
              <Button type="primary" htmlType="submit" loading={published.isPending} disabled={isDirty}>
                {t('publish')}
              </Button>
            </Space.Compact>
          </Form.Item>
          {isDirty && <Alert type="info" showIcon title={t('unsavedPublish')} className="drawer-note" />}
        </Form>
      )}
      {failure !== null && <ErrorState error={failure} />}
      {list.length === 0 ? (
        <EmptyState title={t('noVersions')} help={t('noVersionsHelp')} />
      ) : (
        <FittingTable<SkillVersion>
          label={t('versions')}
          width={640}
          rowKey="version"
          rows={list}
          {...(row.partial === true ? {} : { expandable: { expandedRowRender: differences } })}
          columns={[
            {
              title: t('version'),
              width: 130,
              render: ({ version, live: isLive }) => (
                <>
                  <code translate="no">{version}</code> {isLive && <Tag color="success">{t('isLiveTag')}</Tag>}
                </>
              ),
            },
            { title: t('publishedAt'), width: 165, render: ({ published_at: at }) => format.dateTime(at) },
            { title: t('publishedBy'), width: 120, render: ({ published_by: person }) => <span translate="no">{person}</span> },
            {
              title: t('pinned'),
              width: 170,
              render: ({ version }) => (
                <>
                  <code translate="no">{`skill/${row.name}@${version}`}</code>
                  <CopyButton text={`skill/${row.name}@${version}`} label={version} />
                </>
              ),
            },
            {
              title: t('actions'),
              width: 150,
              render: ({ version, live: isLive }) =>
                canChange &&
                !isLive && (
                  <Space size={4}>
                    <Button size="small" aria-label={`${t('rollBack')}: ${version}`} onClick={() => makeLive(version)}>
                      {t('rollBack')}
                    </Button>
                    <Button
                      size="small"
                      type="text"
                      danger
                      aria-label={`${t('delete')}: ${version}`}
                      onClick={() => deleted.mutate(version)}
                    >
                      {t('delete')}
                    </Button>
                  </Space>
                ),
            },
          ]}
        />
      )}
    </>
  );
}
