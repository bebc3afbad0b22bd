/** A policy that is written in code instead of a file: node policy-in-code.ts release.pub app app.dsse.json */
import { openReenact, type PolicyDocument } from 'reenact';

const [key = 'release.pub', artifact = 'app', ...evidence] = process.argv.slice(2);
const policy: PolicyDocument = {
  version: 1,
  authorities: [{ id: 'release-team', key: { path: key }, transparency: 'none' }],
  require: [{ threshold: { of: ['release-team'], min: 1 } }],
  gates: { replay_ratio: 1 },
};

const reenact = openReenact({ policy });
console.log((await reenact.examinePolicy()).explanation);
const { verdict, code, message } = await reenact.verifyEvidence(evidence, { artifact });
console.log(verdict === 'verified' ? verdict : `${verdict}: ${code}: ${message}`);
process.exitCode = verdict === 'verified' ? 0 : 2;
