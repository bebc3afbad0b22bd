/** Files of debug information that belong to another: the halves of split units, by the ids that both bear. */

export const COMPANIONS = `
CREATE TABLE split_unit (
  bundle int NOT NULL REFERENCES bundle,
  id text NOT NULL,
  held boolean NOT NULL,
  PRIMARY KEY (bundle, id, held)
);
CREATE INDEX split_unit_id ON split_unit (id)
`;
