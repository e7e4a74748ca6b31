/** Chooses a person whose token has been seen, or any other by name. */
import { useQuery } from '@tanstack/react-query';
import { AutoComplete } from 'antd';
import type { ReactNode } from 'react';
import { call, type Page } from '../../api/client.ts';
import { nameOptions } from '../../components/name-options.tsx';

interface Person {
  readonly id: string;
  readonly username: string;
  readonly roles: readonly string[];
}

export function usePeople(): readonly Person[] {
  const found = useQuery({
    queryKey: ['/api/people'],
    queryFn: async ({ signal }) => (await call<Page<Person>>('GET', '/api/people?limit=500', { signal })).data,
  });
  return found.data ?? [];
}

interface PersonFieldProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (person: string) => void;
}

export function PersonField({ id, label, value, onChange }: PersonFieldProps): ReactNode {
  const people = usePeople();
  return (
    <div translate="no">
      <AutoComplete
        id={id}
        aria-label={label}
        className="form-choice"
        value={value}
        options={nameOptions(people.map((person) => person.id))}
        showSearch={{ filterOption: (typed, option) => String(option?.value ?? '').includes(typed) }}
        onChange={(next: string) => onChange(next ?? '')}
      />
    </div>
  );
}
