/** How the walk of each thread's stack ended, null where the trace does not say; and what the signal said beside its name. */

export const WALKS = `
ALTER TABLE thread ADD COLUMN ended jsonb;
ALTER TABLE trace ADD COLUMN code int;
ALTER TABLE trace ADD COLUMN fault_address text
`;
