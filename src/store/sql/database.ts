/** What the store asks of a PostgreSQL database, embedded or a server: queries, and transactions that are whole or nothing. */

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
