/** What the store asks of a PostgreSQL database, embedded or a server: queries, and transactions that are whole or nothing. */

/** The parameters of a statement; lists stand for PostgreSQL arrays, and the statement casts them. */
export type Parameter = string | number | boolean | null | readonly (string | number | boolean | null)[];

export interface Queries {
  /** The rows of one statement; databases return 64-bit numbers in different forms, so statements cast them. */
  query<Row extends object>(sql: string, parameters?: readonly Parameter[]): Promise<Row[]>;
}

export interface Database extends Queries {
  /** What messages call it; never with a password. */
  readonly name: string;
  /** The changes of `work` are kept as a whole when it returns, and not at all when it throws. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
