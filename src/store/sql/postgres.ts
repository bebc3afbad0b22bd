/** A PostgreSQL server, 15 or newer, through node-postgres. */

import { Socket } from 'node:net';
import pg from 'pg';
import { digestOf } from '../../base/digest.ts';
import { asFault, Fault } from '../../base/fault.ts';
import { memberOf } from '../../base/json.ts';
import { present } from '../../base/list.ts';
import { Patience, Unanswered, type Waiting } from '../../base/patience.ts';
import type { Database, Parameter, Queries } from './database.ts';
import { serverFault } from './server-fault.ts';

const OLDEST = 150_000;
/** Of silence, in milliseconds: until a connection is open, and until it is closed. */
const CONNECT_MS = 10_000;
const LEAVE_MS = 1_000;

/** An address for messages, without password. */
function shown(url: string): string {
  try {
    const { protocol, hostname, port, pathname, searchParams } = new URL(url);
    return `${protocol}//${hostname || searchParams.get('host') || ''}${port ? `:${port}` : ''}${pathname}`;
  } catch {
    return 'named by REENACT_DATABASE_URL';
  }
}

/** One connection, and how it is waited for. */
interface Session {
  client: pg.Client;
  socket: Socket;
  patience: Patience;
  /** It is with the server itself, and not one of a pooler's. */
  own: boolean;
}

/** Waits for the server; a connection on which it is silent is cut, so that nothing waits for it again. */
async function wait<T>({ socket, patience }: Session, what: string, quietMs: number, call: () => Promise<T>) {
  try {
    return await patience.wait({ what, quietMs: Math.min(quietMs, patience.limits.quietMs) }, call);
  } catch (error) {
    if (error instanceof Unanswered || error instanceof Fault) socket.destroy();
    throw error;
  }
}

function queriesOf(session: Session, database: string): Queries {
  const { client } = session;
  return {
    async query<Row extends object>(text: string, parameters: readonly Parameter[] = []) {
      try {
        // Statements with parameters are planned only once: there are few different ones, and planning the views takes most of the time.
        const name = session.own && parameters.length > 0 ? digestOf(text).slice(7, 39) : undefined;
        const statement = { text, values: [...parameters], ...(name ? { name } : {}) };
        // No statement of ours takes long.
        const ask = (): Promise<pg.QueryResult<Row>> => client.query<Row>(statement);
        return (await wait(session, 'answer a statement', Number.POSITIVE_INFINITY, ask)).rows;
      } catch (error) {
        throw serverFault(database, error);
      }
    },
  };
}

/** A malformed address is a mistake of the user who named it. */
function clientOf(o: pg.ClientConfig): pg.Client {
  try {
    return new pg.Client(o);
  } catch (error) {
    throw asFault('usage', 'REENACT_DATABASE_URL cannot be used', error);
  }
}

/** Connects to the server that `url` names. Throws a Fault when it cannot, or the server is too old. */
export async function openServer(url: string, waiting: Waiting = {}): Promise<Database> {
  const name = shown(url);
  if (!/^postgres(?:ql)?:\/\//.test(url))
    throw new Fault('usage', 'REENACT_DATABASE_URL is an address like postgresql://user@host:5432/database');
  const socket = new Socket();
  const client = clientOf({ connectionString: url, application_name: 'reenact', stream: () => socket });
  // Without a listener a lost connection would end the process; the next statement says what happened.
  client.on('error', () => {});
  const patience = new Patience({ name: 'the database', address: name }, waiting);
  const session: Session = { client, socket, patience, own: false };
  const queries = queriesOf(session, name);
  const leave = async (): Promise<void> => {
    const gone = wait(session, 'let us go', LEAVE_MS, () => client.end());
    await gone.catch(() => socket.destroy());
  };
  try {
    await wait(session, 'let us in', CONNECT_MS, () => client.connect());
    const [found] = await queries.query<{ version: string; pid: number }>(
      "SELECT current_setting('server_version_num') AS version, pg_backend_pid() AS pid",
    );
    // Poolers have process numbers of their own: a name given there can be another client's.
    session.own = memberOf(client, 'processID') === present(found).pid;
    if (Number(present(found).version) < OLDEST)
      throw new Fault(
        'store_failed',
        `${name} is PostgreSQL ${present(found).version}; 15 or newer is needed`,
      );
  } catch (error) {
    await leave();
    throw serverFault(name, error);
  }
  return {
    ...queries,
    name,
    async transaction(work) {
      await queries.query('BEGIN');
      try {
        const result = await work(queries);
        await queries.query('COMMIT');
        return result;
      } catch (error) {
        // Of a connection that is lost, the server rolls back by itself.
        await client.query('ROLLBACK').catch(() => {});
        throw error;
      }
    },
    close: leave,
  };
}
