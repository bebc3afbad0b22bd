/** What an address of a trace counts from, where that is not the image's lowest; what a shipped file has at which address; ids that are no proof. */

export const BASES = `
ALTER TABLE image ADD COLUMN basis text NOT NULL DEFAULT '';
ALTER TABLE image DROP CONSTRAINT image_id_key;
ALTER TABLE image ADD CONSTRAINT image_id_basis UNIQUE (id, basis);
ALTER TABLE artifact ADD COLUMN layout jsonb;
ALTER TABLE bundle ADD COLUMN weak_id boolean NOT NULL DEFAULT false
`;
