/** Predicts a run without replaying anything: evidence, platform, inputs and gates are checked as a run does, with nothing written. */
import type { Clock } from '../base/clock.ts';
import type { Digest } from '../base/digest.ts';
import { EXIT, FAULTS, Fault } from '../base/fault.ts';
import { type EvidenceRecord, nextOf } from '../evidence/documents/record.ts';
import { loadTrust } from '../evidence/trust/trust.ts';
import { EvidenceFinder } from '../evidence/verify/find.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import type { Policy } from '../policy/policy.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import { checkEvidence } from './evidence.ts';
import { checkInputs } from './inputs.ts';
import { assertReplays } from './prepare.ts';

/** What is known of one manifest before a sandbox is asked for. */
export interface Foreseen {
  loaded: LoadedManifest;
  /** The verdict that a run would reach; null: only replays can decide. */
  verdict: Extract<ReplayRecord['verdict'], 'rejected' | 'inconclusive'> | null;
  reason: string;
  message: string;
  /** Gates that cannot pass, whatever the replays show. */
  lost: string[];
  /** What became of its evidence, with who signed: without authorities in the policy, none is checked. */
  evidence: { status: EvidenceRecord['verdict'] | 'not_checked'; signers: string[] };
}

export interface ForeseeOptions {
  policy: Policy;
  requireEvidence: boolean;
  evidenceStores: string[];
  /** The folder that the run would write to: evidence of earlier runs is found there. */
  out: string;
  clock: Clock;
  /** Every digest an image is known by; a Fault where no registry has it. */
  imageChain: (loaded: LoadedManifest) => Promise<Digest[]>;
}

function lostGates({ manifest }: LoadedManifest, { gates }: Policy): string[] {
  return gates.forensic && !manifest.expect?.final_state_sha256
    ? ['forensic: no expected state was given']
    : [];
}

const NOT_CHECKED: Foreseen['evidence'] = { status: 'not_checked', signers: [] };

/** Each once: by the name that a certificate has, else by the policy's. */
function signersOf({ envelopes }: EvidenceRecord): string[] {
  const names = envelopes.flatMap(({ signers }) =>
    signers.map(({ authority, identity }) => (identity === null ? authority : `${authority} (${identity})`)),
  );
  return [...new Set(names)];
}

/** Checks every manifest in its turn. Throws a Fault only where a run could not begin. */
export async function foresee(manifests: LoadedManifest[], o: ForeseeOptions): Promise<Foreseen[]> {
  const { policy, clock } = o;
  const trust = loadTrust(policy);
  const finder = new EvidenceFinder([...o.evidenceStores, o.out]);
  const judged = new Map<LoadedManifest, Foreseen['evidence']>();
  const one = async (loaded: LoadedManifest): Promise<Foreseen> => {
    const known = {
      loaded,
      verdict: null,
      reason: '',
      message: '',
      lost: lostGates(loaded, policy),
      evidence: NOT_CHECKED,
    };
    if (policy.authorities.length > 0) {
      const verifier = { trust: trust.forOne(), finder, clock };
      const { record } = await checkEvidence(verifier, loaded, () => o.imageChain(loaded));
      const evidence = { status: record.verdict, signers: signersOf(record) };
      judged.set(loaded, evidence);
      if (record.verdict !== 'verified')
        return {
          ...known,
          evidence,
          verdict: record.verdict === 'error' ? 'inconclusive' : 'rejected',
          reason: record.code ?? 'internal',
          message: `${record.message}; ${nextOf(record)}`,
        };
    } else if (o.requireEvidence)
      throw new Fault(
        'evidence_not_checked',
        `the policy ${policy.name} names no authority that may sign evidence`,
      );
    assertReplays(loaded.manifest);
    await checkInputs(loaded.folder, loaded.manifest.inputs ?? []);
    return { ...known, evidence: judged.get(loaded) ?? NOT_CHECKED };
  };
  const found: Foreseen[] = [];
  for (const loaded of manifests)
    found.push(
      await one(loaded).catch((error: unknown) => {
        if (!(error instanceof Fault)) throw error;
        const verdict = FAULTS[error.code].exit === EXIT.rejected ? 'rejected' : 'inconclusive';
        return {
          loaded,
          verdict,
          reason: error.code,
          message: `${error.message}; ${error.next}`,
          lost: [],
          evidence: judged.get(loaded) ?? NOT_CHECKED,
        };
      }),
    );
  return found;
}
