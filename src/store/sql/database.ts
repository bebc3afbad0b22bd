/** What the store asks of a PostgreSQL database, embedded or a server: queries, and transactions that are whole or nothing. */
import { asFault, Fault } from '../../base/fault.ts';

/** What a statement may be given; lists stand for PostgreSQL arrays, and the statement casts them. */
export type Parameter = string | number | boolean | null | readonly (string | number | boolean | null)[];

export interface Queries {
  /** The rows of one statement; 64-bit numbers come in no form that all databases share, so statements cast them. */
  query<Row extends object>(sql: string, parameters?: readonly Parameter[]): Promise<Row[]>;
}

export interface Database extends Queries {
  /** What messages call it; never with a password. */
  readonly name: string;
  /** What `work` did is kept whole when it returns, and not at all when it throws. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The Fault that says which database failed; a Fault of ours stays what it is. */
export function databaseFault(name: string, error: unknown): Fault {
  if (error instanceof Fault) return error;
  const { code } = error as { code?: unknown };
  const detail = typeof code === 'string' ? ` (${code})` : '';
  return asFault('store_failed', `the database ${name} failed${detail}`, error);
}
