/** The one drawer: a row beside its list, made from the schema of its kind, saved without overwriting other people's changes. */
import { DeleteOutlined } from '@ant-design/icons';
import { Alert, App, Button, Drawer, Form, Input, Skeleton, Space, Switch, Tabs } from 'antd';
import { type ReactNode, useId, useMemo, useState } from 'react';
import { ApiError } from '../api/api-error.ts';
import { type Kinds, useKinds } from '../api/kinds.ts';
import { type Collection, type Row, type Spec, useDeleteRow, useRow, useSaveRow } from '../api/rows.ts';
import { useTexts } from '../i18n/texts.ts';
import { useCanAct } from './can.tsx';
import { ConflictView } from './conflict-view.tsx';
import type { Draft } from './draft.ts';
import { ErrorState } from './error-state.tsx';
import { problemsOf } from './form-problems.ts';
import { useProblemFocus } from './schema-form/focus-problem.ts';
import { missingFields, withOptionsOf, withoutSecrets } from './schema-form/schema.ts';
import { SchemaForm } from './schema-form/schema-form.tsx';
import { exampleOptions, hasGivenNames, specSchema } from './schema-form/spec-schema.ts';
import { texts as formTexts } from './schema-form/texts.ts';
import { texts } from './texts.ts';
import { useFocusReturn } from './use-focus-return.ts';

/** What else can be done with a stored row, beside its form. */
export interface DrawerTab {
  readonly key: string;
  readonly label: string;
  readonly content: (state: DrawerState) => ReactNode;
}

export interface DrawerState {
  readonly stored: Row;
  readonly draft: Draft;
  readonly change: (spec: Spec) => void;
  /** The form holds changes that are not saved. */
  readonly isDirty: boolean;
  /** The reader may change the row here: they manage it, no file owns it, and they do not view the console as another person. */
  readonly canChange: boolean;
}

interface ResourceDrawerProps {
  readonly collection: Collection;
  /** The row to edit; null for a new one. */
  readonly name: string | null;
  readonly title: ReactNode;
  /** What a new row starts with. */
  readonly initial: Draft;
  readonly onClose: () => void;
  /** Called with the name of the saved row; without it the drawer closes. */
  readonly onSaved?: (name: string) => void;
  /** A new row starts with the options in the example of its kind. */
  readonly startsWithExample?: boolean;
  /** Shown for stored rows, after the form. */
  readonly tabs?: readonly DrawerTab[];
  readonly tab?: string | undefined;
  readonly onTab?: (key: string) => void;
  readonly wide?: boolean;
  /** Tests and other help for the draft, below the form. */
  readonly children?: (draft: Draft, stored: Row | null, change: (spec: Spec) => void) => ReactNode;
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

const sizeOf = ({ wide = false }: Pick<ResourceDrawerProps, 'wide'>): number => (wide ? 860 : 640);

/** Translators of the browser must not touch the name of a row. */
const shownTitle = ({ name, title }: Pick<ResourceDrawerProps, 'name' | 'title'>): ReactNode =>
  name === null ? title : <span translate="no">{title}</span>;

const draftOf = ({ name, enabled, spec }: Row): Draft => ({ name, enabled, spec });

interface RowEditorProps extends ResourceDrawerProps {
  readonly kinds: Kinds;
  readonly stored: Row | null;
}

function RowEditor(props: RowEditorProps): ReactNode {
  const { collection, name, kinds, onClose, onSaved, children, stored: found } = props;
  const { startsWithExample = false, tabs, tab, onTab } = props;
  const t = useTexts(texts);
  const tf = useTexts(formTexts);
  const formId = useId();
  const { message, modal } = App.useApp();
  const save = useSaveRow(collection);
  const remove = useDeleteRow(collection);
  const withExample = (spec: Spec): Spec => {
    const options = startsWithExample && name === null ? exampleOptions(kinds, collection, spec) : undefined;
    return options === undefined ? spec : { ...spec, options };
  };
  const [initial] = useState((): Draft => ({ ...props.initial, spec: withExample(props.initial.spec) }));
  // The form starts with the stored row once; a later refetch must not overwrite what is being typed.
  const [base, setBase] = useState(found);
  const [draft, setDraft] = useState(found === null ? initial : draftOf(found));
  /** How often it was tried to save. */
  const [attempt, setAttempt] = useState(0);

  const start: Draft = base === null ? initial : draftOf(base);
  const isDirty = !same(draft, start);
  // An act of another tab, such as publishing, has changed the row; what is being typed stays.
  if (found !== null && base !== null && found.revision > base.revision && !isDirty) {
    setBase(found);
    setDraft(draftOf(found));
  }
  const canAct = useCanAct();
  const isReadOnly = !canAct || base?.locked !== undefined || base?.partial === true;
  const schema = useMemo(() => specSchema(kinds, collection, draft.spec), [kinds, collection, draft.spec]);
  const missing = useMemo(() => missingFields(schema, draft.spec), [schema, draft.spec]);
  const problems = useMemo(
    () => ({
      ...problemsOf(save.error),
      ...(attempt > 0 ? Object.fromEntries(missing.map((path) => [path, tf('required')])) : {}),
    }),
    [save.error, attempt, missing, tf],
  );
  useProblemFocus(formId, attempt, Object.keys(problems).length > 0);

  const change = (spec: Spec): void => {
    const isOtherKind = spec['kind'] !== draft.spec['kind'];
    setDraft({ ...draft, spec: isOtherKind ? withExample(withOptionsOf(specSchema(kinds, collection, spec), spec)) : spec });
  };
  const close = (): void => {
    if (!isDirty || isReadOnly) return onClose();
    modal.confirm({ title: t('discardAsk'), okText: t('discard'), cancelText: t('keepEditing'), onOk: onClose });
  };
  const write = (revision: number | undefined): void => {
    setAttempt(attempt + 1);
    if (missing.length > 0) return;
    save.mutate(
      { ...draft, revision },
      {
        onSuccess: (saved) => {
          message.success(t('saved', { name: saved.name }));
          setBase(saved);
          setDraft(draftOf(saved));
          (onSaved ?? onClose)(saved.name);
        },
      },
    );
  };
  const askToDelete = ({ name: victim, revision }: Row): void => {
    modal.confirm({
      title: t('deleteAsk', { name: victim }),
      content: t('deleteHelp'),
      okText: t('delete'),
      okButtonProps: { danger: true },
      cancelText: t('cancel'),
      // The drawer below shows why a row could not be deleted.
      onOk: () =>
        remove.mutateAsync({ name: victim, revision }).then(
          () => {
            message.success(t('deleted', { name: victim }));
            onClose();
          },
          () => undefined,
        ),
    });
  };
  const conflict = save.error instanceof ApiError && save.error.code === 'revision_conflict' && base !== null;

  const form = (
    <>
      {remove.error !== null && <ErrorState error={remove.error} />}
      {conflict && (
        <ConflictView
          collection={collection}
          mine={{ ...draft, spec: withoutSecrets(schema, draft.spec) as Spec }}
          name={base.name}
          onTake={(stored) => {
            setBase(stored);
            setDraft(draftOf(stored));
            save.reset();
          }}
          onKeep={(stored) => write(stored.revision)}
        />
      )}
      {save.error !== null && !conflict && <ErrorState error={save.error} />}
      {base?.locked !== undefined && <Alert type="info" showIcon title={t('locked')} />}
      {base?.partial === true && <Alert type="info" showIcon title={t('partial')} />}
      <Form
        id={formId}
        layout="vertical"
        disabled={isReadOnly}
        {...(isReadOnly ? {} : { onFinish: () => write(base?.revision) })}
        // Browsers offer to save an API key as a password.
        autoComplete="off"
      >
        {name === null && !hasGivenNames(kinds, collection) && (
          <Form.Item
            label={t('name')}
            htmlFor="row-name"
            required
            {...(problems['name'] === undefined ? {} : { validateStatus: 'error' as const, help: problems['name'] })}
          >
            <Input id="row-name" autoFocus value={draft.name} onChange={({ target }) => setDraft({ ...draft, name: target.value })} />
          </Form.Item>
        )}
        <SchemaForm schema={schema} value={draft.spec} disabled={isReadOnly} problems={problems} onChange={change} />
        <Form.Item label={t('enabled')} htmlFor="row-enabled" layout="horizontal">
          <Switch
            id="row-enabled"
            aria-label={t('enabled')}
            checked={draft.enabled}
            onChange={(enabled) => setDraft({ ...draft, enabled })}
          />
        </Form.Item>
        {canAct && children?.(draft, base, change)}
      </Form>
    </>
  );
  return (
    <Drawer
      open
      size={sizeOf(props)}
      title={shownTitle(props)}
      onClose={close}
      destroyOnHidden
      footer={
        <div className="drawer-footer">
          {base !== null && !isReadOnly && (
            <Button danger type="text" icon={<DeleteOutlined aria-hidden />} onClick={() => askToDelete(base)}>
              {t('delete')}
            </Button>
          )}
          <Space>
            <Button onClick={close}>{t(isReadOnly ? 'close' : 'cancel')}</Button>
            {!isReadOnly && (
              <Button type="primary" htmlType="submit" form={formId} loading={save.isPending} disabled={name !== null && !isDirty}>
                {t(name === null ? 'create' : 'save')}
              </Button>
            )}
          </Space>
        </div>
      }
    >
      {tabs === undefined || base === null ? (
        form
      ) : (
        <Tabs
          activeKey={tab ?? 'form'}
          onChange={(key) => onTab?.(key)}
          items={[
            { key: 'form', label: t('form'), children: form, forceRender: true },
            ...tabs.map(({ key, label, content }) => ({
              key,
              label,
              children: content({ stored: base, draft, change, isDirty, canChange: !isReadOnly }),
            })),
          ]}
        />
      )}
    </Drawer>
  );
}

export function ResourceDrawer(props: ResourceDrawerProps): ReactNode {
  const { collection, name, onClose } = props;
  useFocusReturn();
  const kinds = useKinds();
  const row = useRow<Spec>(collection, name);
  const stored = name === null ? null : row.isFetchedAfterMount ? row.data : undefined;
  if (kinds.data !== undefined && stored !== undefined) return <RowEditor {...props} kinds={kinds.data} stored={stored} />;
  const failed = [kinds, row].find(({ error }) => error !== null);
  return (
    <Drawer open size={sizeOf(props)} title={shownTitle(props)} onClose={onClose}>
      {failed?.error == null ? <Skeleton active /> : <ErrorState error={failed.error} onRetry={() => void failed.refetch()} />}
    </Drawer>
  );
}
